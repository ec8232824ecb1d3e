import { SystemClock } from '../../src/core/time/clock.js';

/** The clock of the machine, moved. Its timers run at the pace of the machine. */
export class MovedClock extends SystemClock {
  aheadMs = 0;
  /** By how much the clock of the machine is wrong, in milliseconds: durations are as they are. */
  errorMs = 0;

  override now(): number {
    return super.now() + this.aheadMs + this.errorMs;
  }

  override elapsed(): number {
    return super.elapsed() + this.aheadMs;
  }
}
