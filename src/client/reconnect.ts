import { closeTable } from '../protocol/closes.js';
import type { Timers } from './timers.js';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** The gateway counts refused frames over this long: coming back sooner would only be counted with them. */
const SLOW_DOWN_MS = 10_000;

const finalCodes: ReadonlySet<number> = new Set(
  Object.values(closeTable)
    .filter((row) => !row.reconnect)
    .map((row) => row.code),
);

/** Whether a connection that was closed with `code` is better not opened again just as before. */
export function isFinal(code: number): boolean {
  return finalCodes.has(code);
}

/** How long to wait before each attempt to connect again: doubling, capped, and jittered so that clients spread out. */
export class Backoff {
  #failures = 0;

  constructor(private readonly timers: Pick<Timers, 'random'>) {}

  /** The wait before the next attempt in milliseconds. What the gateway asked for (`toldMs`, jittered there) comes first. */
  next(closeCode: number, toldMs?: number): number {
    if (toldMs !== undefined) return toldMs;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures++;
    const jittered = delayMs * (0.5 + this.timers.random() / 2);
    return closeCode === closeTable.rateLimit.code ? Math.max(SLOW_DOWN_MS, jittered) : jittered;
  }

  /** The connection stands: the next wait is the shortest again. */
  reset(): void {
    this.#failures = 0;
  }
}
