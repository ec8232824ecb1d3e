import type { Acknowledgement, ReplyFeed } from './reply-feed.js';

/** The replies that are acknowledged and have not ended. A message that was sent twice has two, under the same ref. */
export class Replies {
  readonly #open = new Map<string, ReplyFeed[]>();

  /** `fresh`: accepted just now, so no part of the reply was missed. */
  acknowledge(feed: ReplyFeed, acknowledgement: Acknowledgement, fresh: boolean): void {
    const { message_ref } = acknowledgement;
    this.#open.set(message_ref, [...this.find(message_ref), feed]);
    void feed.ended.promise.finally(() => this.#close(message_ref, feed)).catch(() => {});
    feed.acknowledge(acknowledgement, fresh);
  }

  find(messageRef: string): readonly ReplyFeed[] {
    return this.#open.get(messageRef) ?? [];
  }

  inSession(sessionId: string): readonly ReplyFeed[] {
    return this.#list().filter((feed) => feed.acknowledgement?.session_id === sessionId);
  }

  /** Returns the sessions that contain an open reply. */
  listSessions(): ReadonlySet<string> {
    return new Set(this.#list().flatMap(({ acknowledgement }) => acknowledgement?.session_id ?? []));
  }

  /** Returns the replies whose cancellation is not yet confirmed by their end. */
  listCancelled(): readonly ReplyFeed[] {
    return this.#list().filter((feed) => feed.cancelRequested);
  }

  fail(sessionId: string, error: Error): void {
    for (const feed of this.inSession(sessionId)) feed.fail(error);
  }

  failAll(error: Error): void {
    for (const feed of this.#list()) feed.fail(error);
  }

  /** Marks that frames and deltas of the session may be missed from here on. */
  interrupt(sessionId: string): void {
    for (const feed of this.inSession(sessionId)) feed.interrupt();
  }

  interruptAll(): void {
    for (const feed of this.#list()) feed.interrupt();
  }

  #list(): readonly ReplyFeed[] {
    return [...this.#open.values()].flat();
  }

  #close(messageRef: string, feed: ReplyFeed): void {
    const others = this.find(messageRef).filter((other) => other !== feed);
    if (others.length > 0) this.#open.set(messageRef, others);
    else this.#open.delete(messageRef);
  }
}
