import type { StreamBlock, StreamEndPayload } from '../protocol/index.js';
import type { ReplyEvent } from './reply-events.js';
import type { Acknowledgement, ReplyFeed } from './reply-feed.js';

/**
 * The reply to one message: `for await (const event of reply)` reads its events as they arrive, `await reply.blocks()`
 * waits for all of it. Unread events are kept and never take more memory than the reply itself.
 *
 * A lost connection is not an error here: the reply continues once the client is connected again. It throws a
 * GatewayError when the gateway refuses the message, ConnectionEndedError when the client will not reconnect,
 * MessageTooLargeError when the gateway would not accept its size, and WithdrawnError when the message was cancelled
 * before it was sent.
 */
export class Reply implements AsyncIterable<ReplyEvent> {
  readonly #feed: ReplyFeed;
  readonly #cancel: () => void;
  #isRead = false;

  /** Constructed by `GatewayClient`. */
  constructor(feed: ReplyFeed, cancel: () => void) {
    this.#feed = feed;
    this.#cancel = cancel;
  }

  /** The message's own id. */
  get id(): string {
    return this.#feed.id;
  }

  /** Resolves once the gateway has stored the message durably; rejects when it never will. */
  get acknowledged(): Promise<Acknowledgement> {
    return this.#feed.acknowledged.promise;
  }

  /**
   * Resolves with the message's single `stream_end`, even if that carries an error; with undefined for a group message
   * that was only observed and gets no reply.
   */
  get ended(): Promise<StreamEndPayload | undefined> {
    return this.#feed.ended.promise;
  }

  /**
   * Waits for the end and returns the standing blocks.
   * @throws GatewayError when the reply ended with an error
   */
  blocks(): Promise<readonly StreamBlock[]> {
    return this.#feed.collect();
  }

  /**
   * Asks the gateway to cancel the reply. Its `end` event still arrives, with reason `cancelled` unless the reply ended
   * first.
   */
  cancel(): void {
    this.#cancel();
  }

  /**
   * Returns the events, for a single reader. Leaving the loop stops the reading, not the reply; use `cancel()` for
   * that.
   */
  [Symbol.asyncIterator](): AsyncIterator<ReplyEvent, undefined> {
    if (this.#isRead) throw new TypeError('The events of a reply can be read once');
    this.#isRead = true;
    return this.#feed.events;
  }
}
