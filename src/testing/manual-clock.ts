import { Clock, type CancelTimer } from '../core/time/clock.js';

interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test advances it, or sets its wall time. */
export class ManualClock extends Clock {
  private time = 1_000;
  private wallOffset: number;
  private readonly timers = new Set<Timer>();

  /** @param start in Unix milliseconds */
  constructor(start = 1_800_000_000_000) {
    super();
    this.wallOffset = start - this.time;
  }

  override now(): number {
    // Whole, as `Date.now()` is: a timer may be due at a fraction of a millisecond.
    return Math.floor(this.wallOffset + this.time);
  }

  override elapsed(): number {
    return this.time;
  }

  /**
   * Moves the wall time alone by `ms` milliseconds, forward or back, as when the clock of the machine is set.
   * A process sees a sleep of the machine as such a step forward, in which nothing ran.
   */
  setWallTime(ms: number): void {
    this.wallOffset += ms;
  }

  /** The number of timers that have not fired yet. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  override setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer: Timer = { dueAt: this.time + Math.max(0, delayMs), callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Advances by `ms` milliseconds and runs the due timers in order, those set by their callbacks included. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let timer = this.nextDue(end); timer; timer = this.nextDue(end)) {
      this.timers.delete(timer);
      this.time = timer.dueAt;
      timer.callback();
    }
    this.time = end;
  }

  /**
   * Like {@link advance}, but lets promises settle after each callback, so that code which sleeps in a loop runs all its
   * iterations.
   */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (let timer = this.nextDue(end); timer; timer = this.nextDue(end)) {
      this.timers.delete(timer);
      this.time = timer.dueAt;
      timer.callback();
      await settle();
    }
    this.time = end;
    await settle();
  }

  private nextDue(end: number): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.dueAt <= end && (earliest === undefined || timer.dueAt < earliest.dueAt)) earliest = timer;
    }
    return earliest;
  }
}

/** Waits for one tick of the event loop, in which every promise settles that needs no I/O. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
