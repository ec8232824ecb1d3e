import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { Clock } from '../core/time/clock.js';

/** Interval of the measurements, in milliseconds. A block is seen with its length, less up to this. */
export const MEASURE_INTERVAL_MS = 500;

/** Delay of the event loop that people notice, in milliseconds. */
export const MAX_DELAY_MS = 2_000;

/** Time for which a delay is reported, in milliseconds. */
export const REPORTED_MS = 30_000;

/** Notices when the event loop was blocked: requests wait meanwhile, and heartbeats fail. */
@Injectable()
export class LoopDelay {
  private worst: { readonly at: number; readonly delayMs: number } | undefined;

  constructor(private readonly clock: Clock) {}

  /**
   * The longest block of the event loop within the last half minute, in words; undefined if it was too short to notice.
   */
  get problem(): string | undefined {
    if (!this.worst || this.clock.elapsed() - this.worst.at > REPORTED_MS) return undefined;
    return `the event loop was blocked for ${(this.worst.delayMs / 1_000).toFixed(1)} s`;
  }

  @StartStep({ name: 'watch the event loop', phase: 'run', undoneIn: 'settle' })
  start(): Undo {
    let dueAt = this.clock.elapsed() + MEASURE_INTERVAL_MS;
    return this.clock.setRepeating(MEASURE_INTERVAL_MS, () => {
      const at = this.clock.elapsed();
      this.note(at, at - dueAt);
      dueAt = at + MEASURE_INTERVAL_MS;
    });
  }

  private note(at: number, delayMs: number): void {
    if (delayMs < MAX_DELAY_MS) return;
    const isOver = !this.worst || at - this.worst.at > REPORTED_MS;
    if (isOver || delayMs >= (this.worst?.delayMs ?? 0)) this.worst = { at, delayMs };
  }
}
