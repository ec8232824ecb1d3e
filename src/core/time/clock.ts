/** One hour, in milliseconds. */
export const HOUR_MS = 3_600_000;

/**
 * The gateway's time. Code that reads the clock or waits uses this port, so that tests control time with `ManualClock`
 * of `src/testing`. `clock.spec.ts` lists the exceptions: deadlines of real sockets, processes and signals.
 */
export abstract class Clock {
  /** Returns the current time in Unix milliseconds. */
  abstract now(): number;

  /** Runs `callback` once after `delayMs`. Returns a function that cancels it. Timers do not keep the process alive. */
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

/** The system clock. */
export class SystemClock extends Clock {
  override now(): number {
    return Date.now();
  }

  override setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  }
}
