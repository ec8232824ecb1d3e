import type { StreamBlock, StreamDeltaPayload, StreamEndPayload, ToolStatusPayload } from '../protocol/index.js';

/**
 * The events of a reply, in order. Payloads are those of the protocol, field for field.
 * - `delta`: a piece of the block after the standing ones (`stream: 'delta'` only). The `block` with its `block_id`
 * follows and holds the whole content; after a lost connection the rest of a block may arrive without deltas.
 * - `block`: a complete block, at `index` among the standing ones.
 * - `restart`: the blocks from index `keep` on, and a block that has only deltas so far, are dropped; others follow.
 * - `tool`: the state of a tool call.
 * - `end`: the last event. A block that has only deltas is dropped.
 */
export type ReplyEvent =
  | ({ readonly type: 'delta' } & Readonly<Pick<StreamDeltaPayload, 'block_id' | 'block_type' | 'delta'>>)
  | { readonly type: 'block'; readonly index: number; readonly block: StreamBlock }
  | { readonly type: 'restart'; readonly keep: number }
  | ({ readonly type: 'tool' } & Readonly<ToolStatusPayload>)
  | ({ readonly type: 'end' } & Readonly<StreamEndPayload>);

interface Waiter {
  readonly resolve: (result: IteratorResult<ReplyEvent, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The queue of one reply's events between the connection and the reader.
 *
 * Unread events never take more memory than the standing reply: deltas of one block are joined, a complete block
 * replaces its deltas, a restart removes unread blocks, and only the newest progress of a tool is kept.
 */
export class ReplyEvents implements AsyncIterator<ReplyEvent, undefined> {
  #unread: ReplyEvent[] = [];
  readonly #waiting: Waiter[] = [];
  #closed = false;
  #failure: Error | undefined;

  push(event: ReplyEvent): void {
    if (this.#closed) return;
    const waiter = this.#waiting.shift();
    if (waiter) waiter.resolve({ done: false, value: event });
    else this.#keep(event);
  }

  /** Ends the events. Unread ones can still be read; then `failure`, if any, is thrown. */
  close(failure?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = failure;
    for (const waiter of this.#waiting.splice(0)) this.#finish(waiter);
  }

  next(): Promise<IteratorResult<ReplyEvent, undefined>> {
    return new Promise((resolve, reject) => {
      const event = this.#unread.shift();
      if (event) return resolve({ done: false, value: event });
      if (this.#closed) return this.#finish({ resolve, reject });
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Called when the reader leaves its loop: drops further events. */
  return(): Promise<IteratorResult<ReplyEvent, undefined>> {
    this.#unread = [];
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  #finish({ resolve, reject }: Waiter): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) reject(failure);
    else resolve({ done: true, value: undefined });
  }

  #keep(event: ReplyEvent): void {
    if (event.type === 'delta') return this.#keepDelta(event);
    this.#unread = this.#unread.filter((earlier) => !isSuperseded(earlier, event));
    this.#unread.push(event);
  }

  #keepDelta(event: Extract<ReplyEvent, { type: 'delta' }>): void {
    const last = this.#unread[this.#unread.length - 1];
    if (last?.type !== 'delta' || last.block_id !== event.block_id) this.#unread.push(event);
    else this.#unread[this.#unread.length - 1] = { ...last, delta: last.delta + event.delta };
  }
}

/** Returns true when `later` makes an unread event obsolete. */
function isSuperseded(earlier: ReplyEvent, later: ReplyEvent): boolean {
  switch (later.type) {
    case 'block':
      return earlier.type === 'delta' && earlier.block_id === later.block.block_id;
    case 'restart':
      if (earlier.type === 'restart') return earlier.keep >= later.keep;
      return earlier.type === 'delta' || (earlier.type === 'block' && earlier.index >= later.keep);
    case 'tool':
      return earlier.type === 'tool' && earlier.status === 'progress' && earlier.call_id === later.call_id;
    default:
      return later.type === 'end' && earlier.type === 'delta';
  }
}
