/** Time and chance as the client sees them, so that tests turn the hands themselves. The machine's own by default. */
export interface Timers {
  /** Unix milliseconds. */
  now(): number;
  /** Runs `callback` once after `delayMs`; the answer takes it back. */
  setTimer(delayMs: number, callback: () => void): () => void;
  /** At least 0, less than 1: spreads the reconnects of many clients. */
  random(): number;
}

/** The machine's clock and dice. Its timers keep a Node process alive: a client that waits to reconnect has work to do. */
export const systemTimers: Timers = {
  now: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
