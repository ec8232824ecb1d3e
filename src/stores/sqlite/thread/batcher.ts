import { leaveExtension } from '../../../core/lifecycle/extension-guard.js';
import type { Done } from '../../../core/store/index.js';
import type { Batch, BatchReply, Call, Failure } from '../operations/index.js';

/** Calls per batch, so that a burst completes in portions and not all at its end. */
const MAX_CALLS = 1_024;

/**
 * Maximum size of the calls of a batch, in characters and bytes: each thread has a copy. A larger call is a batch of
 * its own.
 */
export const MAX_BATCH_SIZE = 1_048_576;

/** Calls with their callbacks. In two lists, so that the calls are garbage when they are sent, long before their results. */
interface PendingCalls {
  readonly calls: Call[];
  readonly callbacks: Done<unknown>[];
}

/** Runs the batches of a batcher. */
export interface BatcherHost {
  run(kind: Batch['kind'], calls: readonly Call[]): Promise<BatchReply>;
  /** Returns the error of a failed call. */
  explain(failure: Failure | Error): Error;
}

/** Group commit without a timer: calls made while a batch runs are collected and form the next batch. */
export class Batcher {
  private pending: PendingCalls = { calls: [], callbacks: [] };
  /** The calls that end the next batch. */
  private readonly last: PendingCalls = { calls: [], callbacks: [] };
  private busy = false;
  private whenIdle: (() => void) | undefined;

  constructor(
    private readonly kind: Batch['kind'],
    private readonly host: BatcherHost,
  ) {}

  /**
   * Makes a call. `done` gets its result or its error; the callbacks of a batch run in the order in which its calls run.
   * @param isLast makes the call run after all others of its batch, also after those that are made later
   */
  call(call: Call, done: Done<unknown>, isLast = false): void {
    const { calls, callbacks } = isLast ? this.last : this.pending;
    calls.push(call);
    callbacks.push(done);
    if (this.busy) return;
    this.busy = true;
    // Deferred, so that calls made in the same tick share a batch.
    queueMicrotask(leaveExtension(() => void this.work()));
  }

  /** Resolves when all calls are done. */
  idle(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenIdle = resolve;
    });
  }

  private async work(): Promise<void> {
    while (this.pending.calls.length > 0 || this.last.calls.length > 0) {
      const { callbacks, reply } = this.sendBatch();
      try {
        settle(callbacks, await reply, this.host);
      } catch (error) {
        const explained = this.host.explain(error as Error);
        for (const done of callbacks) complete(done, explained);
      }
      // Many callers call again as soon as they have their result; waiting a tick puts those calls in one commit.
      if (callbacks.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    this.busy = false;
    this.whenIdle?.();
  }

  private sendBatch(): { callbacks: readonly Done<unknown>[]; reply: Promise<BatchReply> } {
    const { calls, callbacks } = this.takeBatch();
    for (const call of this.last.calls.splice(0)) calls.push(call);
    for (const done of this.last.callbacks.splice(0)) callbacks.push(done);
    return { callbacks, reply: this.host.run(this.kind, calls) };
  }

  private takeBatch(): PendingCalls {
    const { pending } = this;
    const { calls, callbacks } = pending;
    let size = 0;
    let count = 0;
    for (const call of calls) {
      size += sizeOf(call);
      if (count === MAX_CALLS || (count > 0 && size > MAX_BATCH_SIZE))
        return { calls: calls.splice(0, count), callbacks: callbacks.splice(0, count) };
      count++;
    }
    this.pending = { calls: [], callbacks: [] };
    return pending;
  }
}

/** Returns the number of characters and bytes in a value. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let size = 0;
  // Most parts of a call are texts and numbers, which need no call.
  if (Array.isArray(value))
    for (const part of value)
      size += typeof part === 'string' ? part.length : typeof part === 'object' ? sizeOf(part) : 0;
  else for (const key in value) size += sizeOf((value as Record<string, unknown>)[key]);
  return size;
}

function settle(callbacks: readonly Done<unknown>[], { results, failures }: BatchReply, host: BatcherHost): void {
  const errors = failures.length === 0 ? undefined : new Map(failures.map((each) => [each.index, host.explain(each)]));
  callbacks.forEach((done, index) => complete(done, errors?.get(index) ?? results[index]));
}

/** Calls a callback. One that throws is a fault of the gateway: an uncaught exception, which must not harm other calls. */
function complete(done: Done<unknown>, result: unknown): void {
  try {
    done(result);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
