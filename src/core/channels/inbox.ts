import type { GatewayError, MessageInPayload } from '../../protocol/domain.js';
import type { AcceptedEvent, RefusedEvent } from '../connections/connection.js';
import { failpoint } from '../failpoints/failpoint.js';
import type { IncomingMessage } from '../intake/message-intake.service.js';
import type { InboxEntry } from '../store/index.js';
import { Backoff } from './backoff.js';
import { DeliveryError, type Place, type Reading, type Update } from './driver.js';
import { LostLeaseError } from './persistence.js';
import type { RunContext } from './run-context.js';

/** The run of an account that takes messages. */
export interface Receiver extends RunContext {
  /** Returns whether an update may reach the agent. One that may not is forgotten. */
  admit(update: Update): Promise<boolean>;
  /** Submits a message; {@link Inbox.take} gets the response. */
  submit(message: IncomingMessage): void;
  /** Called in the order of the events, before the frames of the reply. */
  onAccepted(messageRef: string, place: Place): void;
}

/**
 * Takes what a platform hands over: each update is stored before the platform is told, then read and submitted, and is
 * removed once the gateway has acknowledged it. The updates of a chat keep their order; what holds up one chat holds up no
 * other.
 */
export class Inbox {
  /** The chain of work of each chat. */
  private readonly chats = new Map<string, Promise<void>>();
  private readonly known = new Set<string>();
  private readonly responses = new Map<string, (event: AcceptedEvent | RefusedEvent) => void>();
  private readonly started = Promise.withResolvers<void>();

  constructor(private readonly run: Receiver) {}

  /** Loads what an earlier run has left. It comes before what the platform hands over from now on. */
  async load(): Promise<void> {
    for (const entry of await this.run.store.listInbox(this.run.channel)) this.add(entry);
  }

  /** Starts to read and submit. Until then updates are only stored. */
  start(): void {
    this.started.resolve();
  }

  /** See `ChannelLink.receive`. */
  async receive(updates: readonly Update[]): Promise<void> {
    const admitted: Update[] = [];
    for (const update of updates) if (await this.run.admit(update)) admitted.push(update);
    if (admitted.length === 0) return;
    const entries = admitted.map((update) => this.toEntry(update));
    if (!(await this.run.store.addInbox(this.run.lease, entries))) {
      const error = new LostLeaseError('another replica runs this account');
      this.run.fail(error);
      throw error;
    }
    failpoint('inbox.after_commit');
    for (const entry of entries) this.add(entry);
  }

  /** Takes the response to a message that was submitted. */
  take(event: AcceptedEvent | RefusedEvent): void {
    const { requestId } = event;
    if (requestId === undefined) return;
    this.responses.get(requestId)?.(event);
    this.responses.delete(requestId);
  }

  private toEntry({ id, place, ...update }: Update): InboxEntry {
    const receivedAt = this.run.clock.now();
    const stored = { ...update, id, place } satisfies Update;
    return {
      messageId: id,
      chat: place.chat,
      place: JSON.stringify(place),
      update: JSON.stringify(stored),
      receivedAt,
    };
  }

  /** Adds an entry behind those of its chat. A redelivery of one that waits is left out. */
  private add(entry: InboxEntry): void {
    if (this.known.has(entry.messageId)) return;
    this.known.add(entry.messageId);
    const before = this.chats.get(entry.chat) ?? this.started.promise;
    const work = before.then(() => this.work(entry));
    this.chats.set(entry.chat, work);
    void work.finally(() => {
      if (this.chats.get(entry.chat) === work) this.chats.delete(entry.chat);
    });
  }

  /** Handles one entry. Never rejects. */
  private async work(entry: InboxEntry): Promise<void> {
    if (this.run.signal.aborted) return;
    try {
      await this.handle(entry);
      this.known.delete(entry.messageId);
    } catch (error) {
      this.run.fail(error);
    }
  }

  private async handle(entry: InboxEntry): Promise<void> {
    const update = JSON.parse(entry.update) as Update;
    const reading = await this.read(entry, update);
    if (!reading || this.run.signal.aborted) return;
    const accepted = reading.kind === 'message' ? await this.deliver(update, reading) : undefined;
    if (this.run.signal.aborted) return;
    if (reading.kind === 'ignored') this.run.log.debug({ message_id: update.id, reason: reading.reason }, 'ignored');
    if (accepted) failpoint('inbound.after_ack');
    await this.run.persistence.write(() =>
      this.run.store.settleInbox(this.run.lease, entry.messageId, accepted?.message.messageRef),
    );
  }

  /** Reads an update, again and again while a look-up fails. Returns undefined when the run ends meanwhile. */
  private async read(entry: InboxEntry, update: Update): Promise<Reading | undefined> {
    if (entry.reading !== undefined) return JSON.parse(entry.reading) as Reading;
    const backoff = new Backoff(this.run.clock, this.run.signal);
    while (!this.run.signal.aborted) {
      try {
        const pending = this.run.driver.read(update);
        if (!(pending instanceof Promise)) return pending;
        const reading = await pending;
        const { messageId } = entry;
        await this.run.persistence.write(() =>
          this.run.store.keepReading(this.run.lease, messageId, JSON.stringify(reading)),
        );
        return reading;
      } catch (error) {
        if (error instanceof LostLeaseError || this.run.signal.aborted) throw error;
        if (!(error instanceof DeliveryError) || error.outcome === 'refused') {
          // Odd input must never stop the driver.
          this.run.log.error({ error, message_id: update.id }, 'an update could not be read; it is left out');
          return { kind: 'ignored', reason: 'it could not be read' };
        }
        await backoff.wait(error.retryAfterMs);
      }
    }
    return undefined;
  }

  /** Submits a message until the gateway has accepted it or refuses it for good. */
  private async deliver(
    { id, sender, groupId, place }: Update,
    { message }: Extract<Reading, { kind: 'message' }>,
  ): Promise<AcceptedEvent | undefined> {
    const { channel } = this.run;
    const group = groupId === undefined ? {} : { group_id: groupId, ...this.addressing() };
    const payload = { ...message, channel, sender, ...group };
    const backoff = new Backoff(this.run.clock, this.run.signal);
    while (!this.run.signal.aborted) {
      const event = await this.request({ id, payload }, place);
      if (event.kind === 'accepted') return event;
      const { error } = event;
      if (!error.retryable) {
        this.noteRefusal(id, error);
        return undefined;
      }
      await backoff.wait(error.retryAfterMs);
    }
    return undefined;
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
