import type { Clock } from '../time/clock.js';

/** Window of all limits in milliseconds. The whole quota may be used in one burst. */
export const WINDOW_MS = 60_000;

/** Tolerance for rounding errors of sums of fractions of a millisecond. */
const ROUNDING_MS = 0.001;

/** Keys of about 150 bytes each, kept before the oldest are dropped, so that a flood of made-up keys cannot exhaust memory. */
const MAX_KEYS = 16_384;

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
    const now = this.readClock();
    const fullAt = this.fullAtAfterNext(key, perMinute, now);
    const waitMs = waitFor(fullAt, now);
    if (waitMs === 0) this.recent.set(key, fullAt);
    return waitMs;
  }

  /** Returns the time until {@link take} would succeed, in milliseconds; 0 if it would now. Takes nothing. */
  waitFor(key: string, perMinute: number): number {
    const now = this.readClock();
    return waitFor(this.fullAtAfterNext(key, perMinute, now), now);
  }

  /** Returns the time since the start: a Unix time in a double has too little precision for fractions of a millisecond. */
  private readClock(): number {
    const now = this.clock.elapsed() - this.startedAt;
    if (now - this.rotatedAt >= WINDOW_MS || this.recent.size >= this.maxKeys) this.rotate(now);
    return now;
  }

  /** Returns when a bucket would be full again if one more token were taken. */
  private fullAtAfterNext(key: string, perMinute: number, now: number): number {
    const fullAt = this.recent.get(key) ?? this.older.get(key) ?? 0;
    return Math.max(fullAt, now) + WINDOW_MS / perMinute;
  }

  /**
   * Under a flood of new keys, drops those that have used up less than half of their quota: to them it changes little,
   * while a key that is exhausted stays so. Returns whether that made enough room.
   */
  private dropFullest(now: number): boolean {
    for (const [key, fullAt] of this.recent) if (fullAt - now < WINDOW_MS / 2) this.recent.delete(key);
    return this.recent.size < this.maxKeys / 2;
  }

  private rotate(now: number): void {
    if (now - this.rotatedAt < WINDOW_MS && this.dropFullest(now)) return;
    this.older = this.recent;
    this.recent = new Map();
    this.rotatedAt = now;
  }
}

function waitFor(fullAt: number, now: number): number {
  return Math.max(0, Math.ceil(fullAt - (now + WINDOW_MS) - ROUNDING_MS));
}
