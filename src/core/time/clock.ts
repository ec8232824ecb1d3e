/** In milliseconds. */
export const HOUR_MS = 3_600_000;

/**
 * The time of the gateway. What reads the clock or waits goes through this port, so that a test controls time (`ManualClock`
 * in `src/testing`). `clock.spec.ts` lists the exceptions: deadlines of real sockets, processes and signals.
 */
export abstract class Clock {
  /** Unix milliseconds. */
  abstract now(): number;

  /** Runs `callback` once after `delayMs`; returns a function that cancels it. A timer never keeps the process alive. */
  abstract setTimer(delayMs: number, callback: () => void): CancelTimer;

  /** Resolves after `delayMs`, or at once when `signal` aborts (look at the signal to tell which). Never rejects. */
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

  /** Runs `callback` every `periodMs` until it is cancelled; a run that overlaps the next tick is the callback's business. */
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

/** The machine's clock. */
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
