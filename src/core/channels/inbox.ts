import { createHash } from 'node:crypto';
import type { GatewayError, MessageInPayload } from '../../protocol/domain.js';
import { BoundedMap } from '../cache/bounded-map.js';
import type { AcceptedEvent, RefusedEvent } from '../connections/connection.js';
import { failpoint } from '../failpoints/failpoint.js';
import type { IncomingMessage } from '../intake/message-intake.service.js';
import type { InboxEntry, OutboxPart } from '../store/index.js';
import { Backoff } from './backoff.js';
import type { Place, Reading, Update } from './driver.js';
import { makeNote } from './note.js';
import { LostLeaseError } from './persistence.js';
import type { RunContext } from './run-context.js';
import { UpdateReader } from './update-reader.js';

/** Maximum length of the ID of a message (protocol.md section 2). */
const MAX_ID_LENGTH = 128;

/** Maximum number of updates of an account that wait. Beyond it the platform keeps the rest. */
const MAX_WAITING = 10_000;
/** Number of answered updates that are remembered: the newest. */
const MAX_ANSWERED = 10_000;

const TOO_OLD = 'I could not be reached for a while. Messages from that time were read, but are not answered.';

/** The run of an account that takes messages. */
export interface Receiver extends RunContext {
  /** The time by the platform's clock, in Unix milliseconds. */
  readonly platformTime: number;
  /** Returns whether an update may reach the agent. One that may not is forgotten. */
  admit(update: Update): Promise<boolean>;
  /** Submits a message; {@link Inbox.take} gets the response. */
  submit(message: IncomingMessage): void;
  /** Stores a note to a chat and sends it, once for its ID. */
  addNote(note: OutboxPart): Promise<void>;
  /** Called in the order of the events, before the frames of the reply. */
  onAccepted(messageRef: string, place: Place): void;
}

/** An update that is stored. */
interface Stored {
  readonly entry: InboxEntry;
  readonly update: Update;
}

/** Updates that are one message. More may join them while they are `open`. */
interface Group {
  readonly members: [Stored, ...Stored[]];
  /** When the newest of them came, by the monotonic clock. */
  joinedAt: number;
}

/** A reading as it is stored with the first update of a message. */
interface KeptReading {
  readonly reading: Reading;
  /** The IDs of the other updates of the message. */
  readonly joined: readonly string[];
}

/**
 * Takes the updates that a platform hands over. Each is stored before it is confirmed to the platform, then read and
 * submitted, and removed once the gateway has acknowledged the message. The updates of a chat keep their order; a chat that
 * has to wait does not delay the others.
 */
export class Inbox {
  /** The chain of work of each chat. */
  private readonly chats = new Map<string, Promise<void>>();
  private readonly known = new Set<string>();
  /** The newest group of each chat, while more may join it. */
  private readonly open = new Map<string, Group>();
  /** Groups that an earlier run has read, by the IDs of those who joined. */
  private readonly read = new Map<string, Group>();
  /** The updates of messages that had several, by their IDs, once the message is done: they are not read again. */
  private readonly answered = new BoundedMap<string, true>(MAX_ANSWERED);
  private readonly responses = new Map<string, (event: AcceptedEvent | RefusedEvent) => void>();
  private readonly started = Promise.withResolvers<void>();
  private readonly reader: UpdateReader;
  private room: PromiseWithResolvers<void> | undefined;

  constructor(private readonly run: Receiver) {
    this.reader = new UpdateReader(run);
    run.signal.addEventListener('abort', () => this.makeRoom(), { once: true });
  }

  /** Loads what an earlier run has left. It comes before what the platform hands over from now on. */
  async load(): Promise<void> {
    for (const entry of await this.run.store.listInbox(this.run.channel)) this.add(entry);
  }

  /** Starts to read and submit. Until then updates are only stored. */
  start(): void {
    this.started.resolve();
  }

  /** Implements `ChannelLink.receive`. */
  async receive(updates: readonly Update[]): Promise<void> {
    await this.waitForRoom();
    const admitted: Update[] = [];
    for (const update of updates) if (await this.run.admit(update)) admitted.push(update);
    if (admitted.length === 0) return;
    const entries = admitted.map((update) => this.toEntry(update));
    // The next run may have the same lease, and would not see a row that is added after it has loaded the inbox.
    this.run.signal.throwIfAborted();
    if (!(await this.run.store.addInbox(this.run.lease, entries))) {
      const error = new LostLeaseError('another replica runs this account');
      this.run.fail(error);
      throw error;
    }
    failpoint('inbox.after_commit');
    for (const entry of entries) this.add(entry);
  }

  private async waitForRoom(): Promise<void> {
    while (this.known.size >= MAX_WAITING && !this.run.signal.aborted) {
      this.room ??= Promise.withResolvers();
      await this.room.promise;
    }
  }

  private makeRoom(): void {
    this.room?.resolve();
    this.room = undefined;
  }

  /** Takes the response to a message that was submitted. */
  take(event: AcceptedEvent | RefusedEvent): void {
    const { requestId } = event;
    if (requestId === undefined) return;
    this.responses.get(requestId)?.(event);
    this.responses.delete(requestId);
  }

  private toEntry(handed: Update): InboxEntry {
    const update = { ...handed, id: shortenId(handed.id) };
    return {
      messageId: update.id,
      chat: update.place.chat,
      place: JSON.stringify(update.place),
      update: JSON.stringify(update),
      sentAt: update.sentAt,
      receivedAt: this.run.clock.now(),
    };
  }

  /** Adds an entry behind those of its chat. A redelivery of one that waits is left out. */
  private add(entry: InboxEntry): void {
    if (this.known.has(entry.messageId)) return;
    this.known.add(entry.messageId);
    const stored = { entry, update: JSON.parse(entry.update) as Update };
    const group = this.findGroup(stored);
    if (group) {
      group.members.push(stored);
      group.joinedAt = this.run.clock.elapsed();
    } else this.begin(stored);
  }

  /** Returns the group that an update joins. */
  private findGroup({ entry, update }: Stored): Group | undefined {
    if (this.answered.get(entry.messageId)) return undefined;
    const read = this.read.get(entry.messageId);
    if (read) return read;
    const group = this.open.get(entry.chat);
    const key = update.join?.key;
    return key !== undefined && group?.members[0].update.join?.key === key ? group : undefined;
  }

  private begin(stored: Stored): void {
    const { messageId, chat, reading } = stored.entry;
    const group: Group = { members: [stored], joinedAt: this.run.clock.elapsed() };
    if (reading !== undefined) for (const id of (JSON.parse(reading) as KeptReading).joined) this.read.set(id, group);
    else if (!this.answered.get(messageId)) this.open.set(chat, group);
    const before = this.chats.get(chat) ?? this.started.promise;
    const work = before.then(() => this.work(group));
    this.chats.set(chat, work);
    void work.finally(() => {
      if (this.chats.get(chat) === work) this.chats.delete(chat);
    });
  }

  /** Handles one message. Never rejects. */
  private async work(group: Group): Promise<void> {
    if (this.run.signal.aborted) return;
    try {
      await this.waitForAll(group);
      await this.handle(group.members);
      this.forget(group);
      this.makeRoom();
    } catch (error) {
      this.run.fail(error);
    }
  }

  private forget({ members }: Group): void {
    for (const { entry } of members) {
      this.known.delete(entry.messageId);
      this.read.delete(entry.messageId);
      if (members.length > 1) this.answered.set(entry.messageId, true);
    }
  }

  /** Waits until no further update can be expected to join, and lets none join from then on. */
  private async waitForAll(group: Group): Promise<void> {
    const [{ entry, update }] = group.members;
    const { clock, signal } = this.run;
    const waitMs = entry.reading === undefined ? (update.join?.waitMs ?? 0) : 0;
    for (let left = waitMs; left > 0; left = group.joinedAt + waitMs - clock.elapsed()) {
      await clock.sleep(left, signal);
      signal.throwIfAborted();
    }
    if (this.open.get(entry.chat) === group) this.open.delete(entry.chat);
  }

  private async handle([first, ...others]: Group['members']): Promise<void> {
    const { store, lease, persistence, signal } = this.run;
    const { update, entry } = first;
    const reading = await this.findReading(first, others);
    const accepted = reading.kind === 'message' ? await this.deliver(update, reading) : undefined;
    if (signal.aborted) return;
    if (reading.kind === 'ignored') this.run.log.debug({ message_id: update.id, reason: reading.reason }, 'ignored');
    if (reading.note !== undefined)
      await this.run.addNote(makeNote(`reading:${update.id}`, update.place, reading.note, this.run.clock.now()));
    if (accepted) failpoint('inbound.after_ack');
    const ids = [entry, ...others.map((other) => other.entry)].map(({ messageId }) => messageId);
    await persistence.write(() => store.settleInbox(lease, ids, accepted?.message.messageRef));
  }

  private async findReading({ entry, update }: Stored, others: readonly Stored[]): Promise<Reading> {
    if (entry.reading !== undefined) return (JSON.parse(entry.reading) as KeptReading).reading;
    if (this.answered.get(entry.messageId)) return { kind: 'ignored', reason: 'it was a part of an earlier message' };
    const { store, lease, persistence } = this.run;
    const joined = others.map((other) => other.entry.messageId);
    return this.reader.read([update, ...others.map((other) => other.update)], (reading) => {
      const kept: KeptReading = { reading, joined };
      return persistence.write(() => store.keepReading(lease, entry.messageId, JSON.stringify(kept)));
    });
  }

  /** Submits a message until the gateway has accepted it or refuses it permanently. */
  private async deliver(
    update: Update,
    { message }: Extract<Reading, { kind: 'message' }>,
  ): Promise<AcceptedEvent | undefined> {
    const { id, sender, groupId, place } = update;
    const { channel, clock, signal } = this.run;
    const group = groupId === undefined ? {} : { group_id: this.run.moved.firstOf(groupId), ...this.addressing() };
    const payload = { ...message, channel, sender, ...group };
    const backoff = new Backoff(clock, signal);
    while (!signal.aborted) {
      const isOld = this.isOld(update);
      let event = await this.request({ id, payload: isOld ? { ...payload, observe: true } : payload }, place);
      // It may have been accepted in an earlier run, when it was not old.
      if (isOld && event.kind === 'refused' && event.error.code === 'IDEMPOTENCY_CONFLICT')
        event = await this.request({ id, payload }, place);
      if (event.kind === 'accepted') {
        if (event.status === 'observed' && isOld) await this.noteThatOld(update, payload);
        return event;
      }
      const { error } = event;
      if (!error.retryable) {
        this.noteRefusal(id, error);
        if (error.code === 'QUOTA_EXCEEDED')
          await this.run.addNote(makeNote(`quota:${id}`, place, error.message, clock.now()));
        return undefined;
      }
      await backoff.wait(error.retryAfterMs);
    }
    return undefined;
  }

  private isOld({ sentAt }: Update): boolean {
    return this.run.platformTime - sentAt > this.run.settings.max_age_ms;
  }

  /** Sends a note to the chat, at most once within `max_age_ms`, that old messages were read but are not answered. */
  private async noteThatOld({ groupId, place }: Update, payload: MessageInPayload): Promise<void> {
    const { clock, settings } = this.run;
    if (groupId !== undefined && !payload.is_direct_mention && !payload.is_reply_to_agent) return;
    const now = clock.now();
    const period = Math.floor(now / settings.max_age_ms);
    await this.run.addNote(makeNote(`old:${place.chat}:${period}`, place, TOO_OLD, now));
  }

  /** Where no mention is required, each message counts as a reply to the agent. */
  private addressing(): Partial<MessageInPayload> {
    return this.run.settings.require_mention ? {} : { is_reply_to_agent: true };
  }

  private request(message: IncomingMessage, place: Place): Promise<AcceptedEvent | RefusedEvent> {
    return new Promise((resolve) => {
      this.responses.set(message.id, (event) => {
        if (event.kind === 'accepted') this.run.onAccepted(event.message.messageRef, place);
        resolve(event);
      });
      this.run.submit(message);
    });
  }

  private noteRefusal(id: string, error: GatewayError): void {
    const fields = { message_id: id, code: error.code, details: error.details };
    if (error.code === 'IDEMPOTENCY_CONFLICT')
      this.run.log.info(fields, 'a message was accepted before, with other content');
    else this.run.log.warn(fields, 'a message was refused');
  }
}

/** Returns an ID of a message that is not too long for the protocol. */
function shortenId(id: string): string {
  if (id.length <= MAX_ID_LENGTH) return id;
  const platform = id.slice(0, Math.max(0, id.indexOf(':')));
  return `${platform}:sha256:${createHash('sha256').update(id).digest('hex')}`;
}
