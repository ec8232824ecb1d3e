import type { StreamBlock, StreamEndPayload } from '../protocol/index.js';
import type { ReplyEvent } from './reply-events.js';
import type { Acknowledgement, ReplyFeed } from './reply-feed.js';

/**
 * The reply to one message: `for await (const event of reply)` reads its events as they come, `await reply.blocks()` waits
 * for all of it. Unread events are kept and never take more room than the reply itself.
 *
 * A lost connection is not an error here: the reply goes on once the client is connected again. It throws a GatewayError
 * when the gateway refuses the message, ConnectionEndedError when the client will not connect again, WithdrawnError when
 * the message was cancelled before it left.
 */
export class Reply implements AsyncIterable<ReplyEvent> {
  readonly #feed: ReplyFeed;
  readonly #cancel: () => void;
  #isRead = false;

  /** Made by `GatewayClient`. */
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
   * Resolves with the message's one `stream_end`, also when that carries an error; undefined for a group message that was
   * only observed, to which no reply follows.
   */
  get ended(): Promise<StreamEndPayload | undefined> {
    return this.#feed.ended.promise;
  }

  /**
   * Waits for the end and returns the blocks that stand.
   * @throws GatewayError when the reply ended with an error
   */
  blocks(): Promise<readonly StreamBlock[]> {
    return this.#feed.collect();
  }

  /** Asks the gateway to end the reply. Its `end` still comes, with reason `cancelled` unless it was done before. */
  cancel(): void {
    this.#cancel();
  }

  /** Returns the events, for one reader. Leaving the loop ends the reading, not the reply; `cancel()` ends that. */
  [Symbol.asyncIterator](): AsyncIterator<ReplyEvent, undefined> {
    if (this.#isRead) throw new TypeError('The events of a reply can be read once');
    this.#isRead = true;
    return this.#feed.events;
  }
}
