import type { Clock } from '../time/clock.js';

/** Time for which due times are computed without yielding to the event loop, in milliseconds. */
const SLICE_MS = 5;

/** Cuts long computations into slices between which other work passes. Computations that share it share each slice. */
export class Slices {
  private endsAt = Number.NEGATIVE_INFINITY;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly clock: Clock) {}

  /** Returns undefined within a slice. After it resolves in a later turn of the event loop, for one computation in each. */
  pause(): Promise<void> | undefined {
    if (this.clock.elapsed() < this.endsAt) return undefined;
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length === 1) setImmediate(() => this.release());
    });
  }

  private release(): void {
    this.endsAt = this.clock.elapsed() + SLICE_MS;
    this.waiting.shift()?.();
    if (this.waiting.length > 0) setImmediate(() => this.release());
  }
}
