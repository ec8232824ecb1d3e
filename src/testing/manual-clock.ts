import { Clock, type CancelTimer } from '../core/time/clock.js';

interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test turns its hands. */
export class ManualClock extends Clock {
  private time: number;
  private readonly timers = new Set<Timer>();

  /** `start` in Unix milliseconds. */
  constructor(start = 1_800_000_000_000) {
    super();
    this.time = start;
  }

  override now(): number {
    return this.time;
  }

  /** How many timers wait to run. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  override setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer: Timer = { dueAt: this.time + Math.max(0, delayMs), callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Lets `ms` pass and runs what falls due meanwhile, in its order, timers set by those callbacks included. */
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
   * As {@link advance}, but after each callback it lets the promises that the callback settled run on, so that code
   * which sleeps in a loop goes through all its rounds.
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

/** One full turn of the event loop: every promise that can settle without I/O has settled by then. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
