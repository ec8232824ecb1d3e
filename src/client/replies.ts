import { GatewayError } from '../protocol/errors.js';
import type { HistoryMessage, OutboundFrame } from '../protocol/index.js';
import type { Acknowledgement, ReplyFeed } from './reply-feed.js';

/** The replies that have begun and not ended, each under its message's ref. */
export class Replies {
  readonly #open = new Map<string, ReplyFeed>();

  /** `fresh`: accepted just now, so nothing of the reply has been missed. */
  acknowledge(feed: ReplyFeed, acknowledgement: Acknowledgement, fresh: boolean): void {
    this.#open.set(acknowledgement.message_ref, feed);
    void feed.ended.promise.finally(() => this.#open.delete(acknowledgement.message_ref)).catch(() => {});
    feed.acknowledge(acknowledgement, fresh);
  }

  find(messageRef: string): ReplyFeed | undefined {
    return this.#open.get(messageRef);
  }

  takeDelta(frame: OutboundFrame<'stream_delta'>): void {
    this.#open.get(frame.payload.message_ref)?.takeDelta(frame);
  }

  isAwaited(sessionId: string): boolean {
    return this.#inSession(sessionId).length > 0;
  }

  /** Hands over what a session's newest messages are, to replies some of whose frames cannot be read again. */
  settle(sessionId: string, messages: readonly HistoryMessage[]): void {
    const byRef = new Map(messages.map((message) => [message.message_ref, message]));
    for (const feed of this.#inSession(sessionId)) {
      const message = byRef.get(feed.acknowledgement?.message_ref ?? '');
      if (message) feed.settle(message);
      else feed.fail(new GatewayError('NOT_FOUND', { what: 'the message, among the newest of its session' }));
    }
  }

  fail(sessionId: string, error: Error): void {
    for (const feed of this.#inSession(sessionId)) feed.fail(error);
  }

  failAll(error: Error): void {
    for (const feed of this.#open.values()) feed.fail(error);
  }

  interruptAll(): void {
    for (const feed of this.#open.values()) feed.interrupt();
  }

  /** Those whose cancelling nobody has confirmed. */
  listCancelled(): readonly ReplyFeed[] {
    return [...this.#open.values()].filter((feed) => feed.cancelRequested);
  }

  #inSession(sessionId: string): readonly ReplyFeed[] {
    return [...this.#open.values()].filter((feed) => feed.acknowledgement?.session_id === sessionId);
  }
}
