import type { Batch, BatchReply, Call, Failure } from './operations.js';

/** Calls per batch, so that a burst completes in portions and not all at its end. */
const MAX_CALLS = 1_024;

interface PendingCall {
  readonly call: Call;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs the batches of a batcher. */
export interface BatcherHost {
  run(kind: Batch['kind'], calls: readonly Call[]): Promise<BatchReply>;
  /** Returns the error to reject a failed call with. */
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

  call(call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.push({ call, resolve, reject });
      if (this.busy) return;
      this.busy = true;
      // Deferred, so that calls made in the same tick share a batch.
      queueMicrotask(() => void this.work());
    });
  }

  /** Resolves when all calls have settled. */
  idle(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenIdle = resolve;
    });
  }

  private async work(): Promise<void> {
    while (this.pending.length > 0) {
      const batch = this.pending.length > MAX_CALLS ? this.pending.splice(0, MAX_CALLS) : this.pending;
      if (batch === this.pending) this.pending = [];
      try {
        settle(
          batch,
          await this.host.run(
            this.kind,
            batch.map(({ call }) => call),
          ),
          this.host,
        );
      } catch (error) {
        const explained = this.host.explain(error as Error);
        for (const { reject } of batch) reject(explained);
      }
      // Many callers call again as soon as they have their result; waiting a tick puts those calls in one commit.
      if (batch.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    this.busy = false;
    this.whenIdle?.();
  }
}

function settle(batch: readonly PendingCall[], { results, failures }: BatchReply, host: BatcherHost): void {
  for (const failure of failures) batch[failure.index]?.reject(host.explain(failure));
  // Has no effect on calls that were rejected above.
  batch.forEach(({ resolve }, index) => resolve(results[index]));
}
