import type { StreamBlock, StreamDeltaPayload, StreamEndPayload, ToolStatusPayload } from '../protocol/index.js';

/**
 * The events of a reply, in order. Payloads are the protocol's, field for field.
 *
 * - `delta`: a piece of the block that follows those that stand (`stream: 'delta'` only). The `block` with its `block_id`
 *   follows and holds everything; after a lost connection the rest of a block may come without deltas.
 * - `block`: a complete block, at `index` among those that stand.
 * - `restart`: the blocks from index `keep` on, and a block that has only deltas so far, are dropped; others follow.
 * - `tool`: the state of a tool call.
 * - `end`: the last event. Nothing that has only deltas stands any more.
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
 * The queue of events of one reply between the wire and its reader.
 *
 * Unread events never take more room than the reply that stands: deltas of one block are joined, a complete block
 * replaces its deltas, a restart removes what is unread, and of a tool's progress the newest remains.
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

  /** Ends the events. Those unread can still be read, then `failure`, if any, is thrown. */
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

  /** The reader has left the loop: further events are dropped. */
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
    const last = this.#unread.at(-1);
    if (last?.type !== 'delta' || last.block_id !== event.block_id) this.#unread.push(event);
    else this.#unread[this.#unread.length - 1] = { ...last, delta: last.delta + event.delta };
  }
}

/** Whether an unread event is obsolete once `later` follows it. */
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
