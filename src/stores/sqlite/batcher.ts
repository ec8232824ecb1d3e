import type { Batch, BatchReply, Call, Failure } from './operations.js';

/** No batch is larger, so that a burst is answered in portions and not all at its end. */
const MAX_CALLS = 1_024;

interface PendingCall {
  readonly call: Call;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What a batcher needs of its owner. */
export interface BatcherHost {
  run(kind: Batch['kind'], calls: readonly Call[]): Promise<BatchReply>;
  /** The error that a caller gets for a failed call. */
  explain(failure: Failure | Error): Error;
}

/**
 * Group commit without a timer: calls are collected while a batch is under way, and leave together when it is back.
 */
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
      // Not at once: calls made in the same tick belong in the same batch.
      queueMicrotask(() => void this.work());
    });
  }

  /** Resolves when everything that was called is answered. */
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
      // Many callers that are answered call again at once: waiting a tick makes that one commit instead of two.
      if (batch.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    this.busy = false;
    this.whenIdle?.();
  }
}

function settle(batch: readonly PendingCall[], { results, failures }: BatchReply, host: BatcherHost): void {
  for (const failure of failures) batch[failure.index]?.reject(host.explain(failure));
  // A promise that is rejected already ignores its result.
  batch.forEach(({ resolve }, index) => resolve(results[index]));
}
