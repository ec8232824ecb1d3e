/** The clock and the random numbers of a client, replaceable in tests. The system's own by default. */
export interface Timers {
  /** Unix milliseconds. */
  now(): number;
  /** Runs `callback` once after `delayMs`. Returns a function that cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
  /** Returns at least 0 and less than 1. Used to spread the reconnects of many clients. */
  random(): number;
}

/** The system clock and random numbers. Its timers keep a Node process alive while a client waits to reconnect. */
export const systemTimers: Timers = {
  now: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
