import type { Clock } from '../../time/clock.js';

/** Clocks that are further apart make an account `degraded`, in milliseconds. */
const MAX_OFFSET_MS = 120_000;

/** The clock of a platform, by the times that its responses have. */
export class PlatformClock {
  /** The lead of the platform's clock, in milliseconds. */
  private offset = 0;
  /** The same by the last response. */
  private noted = 0;

  constructor(private readonly clock: Clock) {}

  /** Returns its time, in Unix milliseconds. */
  now(): number {
    return this.at(this.clock.now());
  }

  /** Returns its time when the clock here had this time, both in Unix milliseconds. */
  at(time: number): number {
    return time + this.offset;
  }

  /** Notes the time of a response. One that is far from the last alone may come from a cache, or from one wrong server. */
  note(time: number): void {
    const offset = time - this.clock.now();
    if (Math.abs(offset - this.noted) <= MAX_OFFSET_MS) this.offset = offset;
    this.noted = offset;
  }

  /** Returns what is wrong, in words for people; undefined if nothing is. */
  describe(): string | undefined {
    const apart = Math.abs(this.offset);
    return apart > MAX_OFFSET_MS ? `the clocks are ${Math.round(apart / 1_000)} s apart` : undefined;
  }
}
