import type { Clock } from '../time/clock.js';

/** Window of all limits in milliseconds. The whole quota may be used in one burst. */
export const WINDOW_MS = 60_000;

/** Tolerance for rounding errors of sums of fractions of a millisecond. */
const ROUNDING_MS = 0.001;

/** Keys kept before the oldest are dropped, so that a flood of made-up keys cannot exhaust memory. */
const MAX_KEYS = 100_000;

/**
 * Token buckets by key, each kept as one number: the time at which it would be full again (the generic cell rate
 * algorithm, ITU-T I.371). A bucket that was not used for a window is full, so dropping it changes nothing: keys live in
 * two generations, and the older one is dropped each window.
 */
export class RateBuckets {
  private recent = new Map<string, number>();
  private older = new Map<string, number>();
  private rotatedAt = 0;
  private readonly startedAt: number;

  constructor(
    private readonly clock: Clock,
    private readonly maxKeys = MAX_KEYS,
  ) {
    this.startedAt = clock.elapsed();
  }

  /**
   * Takes one token of `perMinute`.
   * @returns 0 if there was one; else takes nothing and returns the time until the next one, in milliseconds
   */
  take(key: string, perMinute: number): number {
    const waitMs = this.waitFor(key, perMinute);
    if (waitMs > 0) return waitMs;
    this.recent.set(key, this.fullAt(key) + WINDOW_MS / perMinute);
    return 0;
  }

  /** Returns the time until {@link take} would succeed, in milliseconds; 0 if it would now. Takes nothing. */
  waitFor(key: string, perMinute: number): number {
    this.rotate();
    const over = this.fullAt(key) + WINDOW_MS / perMinute - (this.now + WINDOW_MS);
    return Math.max(0, Math.ceil(over - ROUNDING_MS));
  }

  /** Time since the start: a Unix time in a double has too little precision for fractions of a millisecond. */
  private get now(): number {
    return this.clock.elapsed() - this.startedAt;
  }

  private fullAt(key: string): number {
    return Math.max(this.recent.get(key) ?? this.older.get(key) ?? 0, this.now);
  }

  /**
   * Under a flood of new keys, drops those that have used up less than half of their quota: to them it changes little,
   * while a key that is exhausted stays so. Returns whether that made enough room.
   */
  private dropFullest(): boolean {
    for (const [key, fullAt] of this.recent) if (fullAt - this.now < WINDOW_MS / 2) this.recent.delete(key);
    return this.recent.size < this.maxKeys / 2;
  }

  private rotate(): void {
    const isDue = this.now - this.rotatedAt >= WINDOW_MS;
    if (!isDue && this.recent.size < this.maxKeys) return;
    if (!isDue && this.dropFullest()) return;
    this.older = this.recent;
    this.recent = new Map();
    this.rotatedAt = this.now;
  }
}
