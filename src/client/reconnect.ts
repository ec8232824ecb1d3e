import { closeTable } from '../protocol/closes.js';
import type { Timers } from './timers.js';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** The interval over which the gateway counts refused frames: a client that reconnects sooner is still penalised. */
const SLOW_DOWN_MS = 10_000;

const finalCodes: ReadonlySet<number> = new Set(
  Object.values(closeTable)
    .filter((row) => !row.reconnect)
    .map((row) => row.code),
);

/** Returns true when reconnecting unchanged is useless after a close with `code`. */
export function isFinal(code: number): boolean {
  return finalCodes.has(code);
}

/** The delays between attempts to reconnect: doubling, capped, and jittered so that clients spread out. */
export class Backoff {
  #failures = 0;

  constructor(
    private readonly timers: Pick<Timers, 'random'>,
    private readonly maxDelayMs = MAX_DELAY_MS,
  ) {}

  /**
   * Returns the delay before the next attempt in milliseconds. `askedMs`, which the gateway requested and already
   * jittered, overrides it.
   */
  next(closeCode: number, askedMs?: number): number {
    if (askedMs !== undefined) return askedMs;
    const delayMs = Math.min(this.maxDelayMs, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures++;
    const jittered = delayMs * (0.5 + this.timers.random() / 2);
    return closeCode === closeTable.rateLimit.code ? Math.max(SLOW_DOWN_MS, jittered) : jittered;
  }

  /** Resets the delay to the shortest, once connected. */
  reset(): void {
    this.#failures = 0;
  }
}
