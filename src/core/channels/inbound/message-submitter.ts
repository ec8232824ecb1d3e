import { GatewayError, type MessageInPayload } from '../../../protocol/domain.js';
import type { RefusedEvent } from '../../connections/connection.js';
import type { IncomingMessage, Reaction } from '../../intake/message-intake.service.js';
import type { OutboxPart } from '../../store/index.js';
import { Backoff } from '../kit/backoff.js';
import type { StoredEvent } from '../channel-gateway.js';
import type { Place, Reading, Update } from '../driver.js';
import { makeNote } from '../note.js';
import type { RunContext } from '../run-context.js';

const TOO_OLD = 'I could not be reached for a while. Messages from that time were read, but are not answered.';

/** The part of a run that submits messages to the gateway. */
export interface Submitting extends RunContext {
  /** The time by the platform's clock, in Unix milliseconds. */
  readonly platformTime: number;
  /** Submits a message; {@link MessageSubmitter.take} gets the response. */
  submit(message: IncomingMessage): void;
  /** Applies a reaction. @throws GatewayError */
  react(id: string, reaction: Reaction): Promise<void>;
  /** Stores a note to a chat and sends it, once for its ID. */
  addNote(note: OutboxPart): Promise<void>;
  /**
   * Called in the order of the events, before the frames of the reply.
   * @param place undefined for a message that was accepted before
   * @param waitsAs its ID in edits, if it waits
   */
  onAccepted(messageRef: string, place: Place | undefined, waitsAs?: string): void;
}

/** A message as it is stored with its update. */
type Message = Extract<Reading, { kind: 'message' }>['message'];

/** Submits messages and reactions, again while the gateway refuses them for a while. */
export class MessageSubmitter {
  private readonly responses = new Map<string, (event: StoredEvent | RefusedEvent) => void>();

  constructor(private readonly run: Submitting) {}

  /** Takes the response to a message that was submitted. */
  take(event: StoredEvent | RefusedEvent): void {
    const { requestId } = event;
    if (requestId === undefined) return;
    this.responses.get(requestId)?.(event);
    this.responses.delete(requestId);
  }

  /**
   * Submits a message until the gateway has accepted it or refuses it permanently.
   * @param keep stores another form of the message before it is submitted
   */
  async submit(
    update: Update,
    message: Message,
    keep: (message: Message) => Promise<void>,
  ): Promise<StoredEvent | undefined> {
    const { id, place } = update;
    const { clock, signal } = this.run;
    let payload = this.toPayload(update, message);
    const backoff = new Backoff(clock, signal);
    while (!signal.aborted) {
      const isOld = this.isOld(update);
      let event = await this.request({ id, payload: isOld ? { ...payload, observe: true } : payload }, update);
      // It may have been accepted in an earlier run, when it was not old.
      if (isOld && event.kind === 'refused' && event.error.code === 'IDEMPOTENCY_CONFLICT')
        event = await this.request({ id, payload }, update);
      if (event.kind === 'accepted') {
        if (event.status === 'observed' && isOld) await this.noteThatOld(update, payload);
        return event;
      }
      const { error } = event;
      if (error.retryable) await backoff.wait(error.retryAfterMs);
      else if (payload.supersedes !== undefined && error.code === 'INVALID_PAYLOAD') {
        // The turn of the message that was edited has begun.
        const { supersedes: _, ...rest } = message;
        await keep({ ...rest, observe: true });
        payload = this.toPayload(update, { ...rest, observe: true });
      } else {
        this.noteRefusal(id, error);
        if (error.code === 'QUOTA_EXCEEDED')
          await this.run.addNote(makeNote(`quota:${id}`, place, error.message, clock.now()));
        return undefined;
      }
    }
    return undefined;
  }

  /** Applies a reaction until the gateway takes it or refuses it permanently. */
  async react({ id, sender, place, reaction }: Update): Promise<void> {
    if (!reaction) return;
    const { channel, clock, signal, store, persistence, log } = this.run;
    const { messageId, ref, emoji, action } = reaction;
    const replyTo = await persistence.read(() => store.findReplyTo(channel, place.chat, ref));
    const change = { channel, sender, emoji, action, messageId: replyTo ?? messageId };
    const backoff = new Backoff(clock, signal);
    while (!signal.aborted) {
      try {
        return await this.run.react(id, change);
      } catch (error) {
        const refusal = GatewayError.from(error);
        if (!refusal.retryable)
          return log.debug({ message_id: messageId, code: refusal.code }, 'a reaction was refused');
        await backoff.wait(refusal.retryAfterMs);
      }
    }
  }

  private toPayload({ sender, groupId }: Update, message: Message): MessageInPayload {
    const { channel, settings, moved } = this.run;
    // Where no mention is required, each message counts as a reply to the agent.
    const addressing = settings.require_mention ? {} : { is_reply_to_agent: true };
    const group = groupId === undefined ? {} : { group_id: moved.firstOf(groupId), ...addressing };
    return { ...message, channel, sender, ...group };
  }

  private isOld({ sentAt }: Update): boolean {
    return this.run.platformTime - sentAt > this.run.settings.max_age_ms;
  }

  /** Sends a note to the chat, at most once within `max_age_ms`, that old messages were read but are not answered. */
  private async noteThatOld({ groupId, place }: Update, payload: MessageInPayload): Promise<void> {
    const { clock, settings } = this.run;
    if (payload.metadata?.['edited'] === true || payload.metadata?.['deleted'] === true) return;
    if (groupId !== undefined && !payload.is_direct_mention && !payload.is_reply_to_agent) return;
    const now = clock.now();
    const period = Math.floor(now / settings.max_age_ms);
    await this.run.addNote(makeNote(`old:${place.chat}:${period}`, place, TOO_OLD, now));
  }

  private request(message: IncomingMessage, { place, change }: Update): Promise<StoredEvent | RefusedEvent> {
    return new Promise((resolve) => {
      this.responses.set(message.id, (event) => {
        if (event.kind === 'accepted') {
          const { messageRef, status } = event.message;
          const waitsAs = status === 'queued' ? (change?.messageId ?? message.id) : undefined;
          this.run.onAccepted(messageRef, event.status === 'duplicate' ? undefined : place, waitsAs);
        }
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
