import { createHash } from 'node:crypto';
import { BoundedMap } from '../../cache/bounded-map.js';
import type { RefusedEvent } from '../../connections/connection.js';
import { failpoint } from '../../failpoints/failpoint.js';
import type { InboxEntry } from '../../store/index.js';
import { BotBounds } from './bot-bounds.js';
import type { StoredEvent } from '../channel-gateway.js';
import { complete, DELETED, type Circumstances } from './circumstances.js';
import type { Reading, ReadMessage, Update } from '../driver.js';
import { MessageSubmitter, type Submitting } from './message-submitter.js';
import { makeNote } from '../note.js';
import { LostLeaseError } from '../persistence.js';
import { DAY_MS } from '../../time/clock.js';
import { UpdateReader } from './update-reader.js';
import { VisibleChanges } from './visible-changes.js';

/** Maximum length of the ID of a message (protocol.md section 2). */
const MAX_ID_LENGTH = 128;

/** Maximum number of updates of an account that wait. Beyond it the platform keeps the rest. */
const MAX_WAITING = 10_000;
/** Number of answered updates that are remembered: the newest. */
const MAX_ANSWERED = 10_000;

/** The run of an account that takes messages. */
export interface Receiver extends Submitting {
  /** Returns the update with the first ID of its sender; undefined for one that may not reach the agent, which is forgotten. */
  admit(update: Update): Promise<Update | undefined>;
  /** Returns the ref of a message that waits for its turn, by its ID. */
  findWaiting(messageId: string): string | undefined;
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
  private readonly started = Promise.withResolvers<void>();
  private readonly reader: UpdateReader;
  private readonly submitter: MessageSubmitter;
  private readonly changes = new VisibleChanges();
  private readonly circumstances: Circumstances;
  private room: PromiseWithResolvers<void> | undefined;

  constructor(private readonly run: Receiver) {
    this.reader = new UpdateReader(run);
    this.submitter = new MessageSubmitter(run);
    this.circumstances = { bots: new BotBounds(run.clock), findWaiting: (messageId) => run.findWaiting(messageId) };
    run.signal.addEventListener('abort', () => this.makeRoom(), { once: true });
  }

  /** Loads what an earlier run has left. It comes before what the platform hands over from now on. */
  async load(): Promise<void> {
    const { store, channel } = this.run;
    for (const id of (await store.listJoined(channel, MAX_ANSWERED)).toReversed()) this.answered.set(id, true);
    for (const entry of await store.listInbox(channel)) this.add(entry);
  }

  /** Starts to read and submit. Until then updates are only stored. */
  start(): void {
    this.started.resolve();
  }

  /** Implements `ChannelLink.receive`. */
  async receive(updates: readonly Update[]): Promise<void> {
    await this.waitForRoom();
    const admitted: Update[] = [];
    for (const update of updates) {
      const named = await this.run.admit(update);
      if (named && this.changes.note(named)) admitted.push(named);
    }
    if (admitted.length === 0) return;
    const entries = admitted.map((update) => this.toEntry(update));
    try {
      await this.store(entries);
    } catch (error) {
      this.changes.forget(admitted);
      throw error;
    }
    failpoint('inbox.after_commit');
    for (const entry of entries) this.add(entry);
  }

  private async store(entries: readonly InboxEntry[]): Promise<void> {
    // The next run may have the same lease, and would not see a row that is added after it has loaded the inbox.
    this.run.signal.throwIfAborted();
    if (await this.run.store.addInbox(this.run.lease, entries)) return;
    const error = new LostLeaseError('another replica runs this account');
    this.run.fail(error);
    throw error;
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
  take(event: StoredEvent | RefusedEvent): void {
    this.submitter.take(event);
  }

  private toEntry(handed: Update): InboxEntry {
    const { visible: _, ...rest } = handed;
    const sentAt = toTime(handed.sentAt, this.run.clock.now());
    const update: Update = { ...rest, id: shortenId(handed.id), sentAt };
    return {
      messageId: update.id,
      chat: update.place.chat,
      place: JSON.stringify(update.place),
      update: JSON.stringify(update),
      isMessage: !update.change && !update.reaction,
      sentAt,
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
    else if (!this.answered.get(messageId) && !stored.update.reaction) this.open.set(chat, group);
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
      await this.handle(group);
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

  private async handle(group: Group): Promise<void> {
    const [first, ...others] = group.members;
    const { update, entry } = first;
    const { signal } = this.run;
    if (update.reaction) {
      await this.submitter.react(update);
      if (!signal.aborted) await this.settle(group);
      return;
    }
    const joined = others.map((other) => other.entry.messageId);
    const reading = await this.findReading(first, others, joined);
    const keep = (message: ReadMessage) => this.keep(entry, { ...reading, message } as Reading, joined);
    const accepted =
      reading.kind === 'message' ? await this.submitter.submit(update, reading.message, keep) : undefined;
    if (signal.aborted) return;
    if (reading.kind === 'ignored') this.run.log.debug({ message_id: update.id, reason: reading.reason }, 'ignored');
    if (reading.note !== undefined)
      await this.run.addNote(makeNote(`reading:${update.id}`, update.place, reading.note, this.run.clock.now()));
    if (accepted) failpoint('inbound.after_ack');
    const takesPart = accepted && (accepted.status === 'queued' || isAddressed(reading));
    await this.settle(group, accepted?.message.messageRef, takesPart);
  }

  /**
   * Removes the rows of a message. A redelivery may be stored right after that, so what comes from now on is handled again, as
   * a duplicate; else its row would stay.
   */
  private async settle(group: Group, messageRef?: string, takesPart?: boolean): Promise<void> {
    const { store, lease, persistence } = this.run;
    this.forget(group);
    const ids = group.members.map(({ entry }) => entry.messageId);
    await persistence.write(() => store.settleInbox(lease, ids, messageRef, takesPart));
  }

  private async findReading(
    { entry, update }: Stored,
    others: readonly Stored[],
    joined: readonly string[],
  ): Promise<Reading> {
    if (entry.reading !== undefined) return (JSON.parse(entry.reading) as KeptReading).reading;
    if (this.answered.get(entry.messageId)) return { kind: 'ignored', reason: 'it was a part of an earlier message' };
    const { reading: read, mustKeep } =
      update.change?.kind === 'deletion'
        ? { reading: DELETED, mustKeep: false }
        : await this.reader.read([update, ...others.map((other) => other.update)]);
    const reading = complete(read, update, this.circumstances);
    if (mustKeep || reading !== read) await this.keep(entry, reading, joined);
    return reading;
  }

  private keep({ messageId }: InboxEntry, reading: Reading, joined: readonly string[]): Promise<void> {
    const { store, lease, persistence } = this.run;
    const kept: KeptReading = { reading, joined };
    return persistence.write(() => store.keepReading(lease, messageId, JSON.stringify(kept)));
  }
}

/** Returns whether a message was meant for the agent, also when it is delivered again. */
function isAddressed(reading: Reading): boolean {
  if (reading.kind !== 'message') return false;
  const { is_direct_mention: isMention, is_reply_to_agent: isReply } = reading.message;
  return isMention === true || isReply === true;
}

/** Returns the time of an update; the present in place of an impossible one, which the store could not hold. */
function toTime(sentAt: number, now: number): number {
  const time = Math.round(sentAt);
  return time >= 0 && time <= now + DAY_MS ? time : now;
}

/** Returns an ID of a message that is not too long for the protocol. */
function shortenId(id: string): string {
  if (id.length <= MAX_ID_LENGTH) return id;
  const platform = id.slice(0, Math.max(0, id.indexOf(':')));
  return `${platform}:sha256:${createHash('sha256').update(id).digest('hex')}`;
}
