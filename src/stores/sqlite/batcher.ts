import type { Done } from '../../core/store/index.js';
import type { Batch, BatchReply, Call, Failure } from './operations.js';

/** Calls per batch, so that a burst completes in portions and not all at its end. */
const MAX_CALLS = 1_024;

/** Characters and bytes in the calls of a batch, of which each thread has a copy. A larger call is a batch of its own. */
export const MAX_BATCH_SIZE = 4_194_304;

interface PendingCall {
  readonly call: Call;
  readonly done: Done<unknown>;
}

/** Runs the batches of a batcher. */
export interface BatcherHost {
  run(kind: Batch['kind'], calls: readonly Call[]): Promise<BatchReply>;
  /** Returns the error of a failed call. */
  explain(failure: Failure | Error): Error;
}

/** Group commit without a timer: calls made while a batch runs are collected and form the next batch. */
export class Batcher {
  private pending: PendingCall[] = [];
  private busy = false;
  private whenIdle: (() => void) | undefined;

  constructor(
    private readonly kind: Batch['kind'],
    private readonly host: BatcherHost,
  ) {}

  /** Makes a call. `done` gets its result or its error; the callbacks of a batch run in the order of the calls. */
  call(call: Call, done: Done<unknown>): void {
    this.pending.push({ call, done });
    if (this.busy) return;
    this.busy = true;
    // Deferred, so that calls made in the same tick share a batch.
    queueMicrotask(() => void this.work());
  }

  /** Resolves when all calls are done. */
  idle(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenIdle = resolve;
    });
  }

  private async work(): Promise<void> {
    while (this.pending.length > 0) {
      const batch = this.takeBatch();
      try {
        const calls = batch.map(({ call }) => call);
        settle(batch, await this.host.run(this.kind, calls), this.host);
      } catch (error) {
        const explained = this.host.explain(error as Error);
        for (const { done } of batch) complete(done, explained);
      }
      // Many callers call again as soon as they have their result; waiting a tick puts those calls in one commit.
      if (batch.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    this.busy = false;
    this.whenIdle?.();
  }

  private takeBatch(): readonly PendingCall[] {
    const { pending } = this;
    let size = 0;
    let count = 0;
    for (const { call } of pending) {
      size += sizeOf(call);
      if (count === MAX_CALLS || (count > 0 && size > MAX_BATCH_SIZE)) return pending.splice(0, count);
      count++;
    }
    this.pending = [];
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

function settle(batch: readonly PendingCall[], { results, failures }: BatchReply, host: BatcherHost): void {
  const errors = failures.length === 0 ? undefined : new Map(failures.map((each) => [each.index, host.explain(each)]));
  batch.forEach(({ done }, index) => complete(done, errors?.get(index) ?? results[index]));
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
