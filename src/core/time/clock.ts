/** One hour, in milliseconds. */
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Maximum delay of Node's timers, in milliseconds. */
const MAX_TIMER_MS = 2_147_483_647;

/** Interval at which an alarm checks the wall clock, in milliseconds: the clock may be set, the machine may sleep. */
const ALARM_CHECK_MS = 10_000;

/** A moment on both clocks of the process. */
export interface Moment {
  /** {@link Clock.now} */
  readonly now: number;
  /** {@link Clock.elapsed} */
  readonly elapsed: number;
}

/**
 * The gateway's time. Code that reads the clock or waits uses this port, so that tests control time with `ManualClock`
 * of `src/testing`. `clock.spec.ts` lists the exceptions: deadlines of real sockets, processes and signals.
 */
export abstract class Clock {
  /**
   * Returns the current time in Unix milliseconds. It is for people and for what outlives the process; it jumps when the
   * clock of the machine is set.
   */
  abstract now(): number;

  /** Returns the milliseconds since an arbitrary moment, with fractions. It never goes back: durations are measured by it. */
  abstract elapsed(): number;

  /**
   * Runs `callback` once after `delayMs`, which may be of any length. Returns a function that cancels it. Timers do not
   * keep the process alive and do not depend on the wall clock.
   */
  abstract setTimer(delayMs: number, callback: () => void): CancelTimer;

  /** Resolves after `delayMs`, or as soon as `signal` aborts; check the signal to see which. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.setTimer(delayMs, done);
      signal?.addEventListener('abort', done);
    });
  }

  /**
   * Runs `callback` once when the wall clock reaches `time`, in Unix milliseconds. If the clock is set or the machine
   * sleeps meanwhile, it runs up to {@link ALARM_CHECK_MS} late. Returns a function that cancels it.
   */
  setAlarm(time: number, callback: () => void): CancelTimer {
    let cancel: CancelTimer;
    const arm = () => {
      cancel = this.setTimer(Math.min(Math.max(0, time - this.now()), ALARM_CHECK_MS), check);
    };
    const check = () => (this.now() >= time ? callback() : arm());
    arm();
    return () => cancel();
  }

  /** Runs `callback` every `periodMs` until cancelled. Runs may overlap if `callback` is asynchronous. */
  setRepeating(periodMs: number, callback: () => void): CancelTimer {
    let cancel: CancelTimer;
    const tick = () => {
      cancel = this.setTimer(periodMs, tick);
      callback();
    };
    cancel = this.setTimer(periodMs, tick);
    return () => cancel();
  }
}

export type CancelTimer = () => void;

export class SystemClock extends Clock {
  override now(): number {
    return Date.now();
  }

  override elapsed(): number {
    return performance.now();
  }

  override setTimer(delayMs: number, callback: () => void): CancelTimer {
    let timer: NodeJS.Timeout;
    const arm = (remainingMs: number) => {
      const stepMs = Math.min(remainingMs, MAX_TIMER_MS);
      timer = setTimeout(() => (remainingMs > stepMs ? arm(remainingMs - stepMs) : callback()), stepMs);
      timer.unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  }
}
