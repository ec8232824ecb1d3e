import type { Clock } from '../time/clock.js';

const SECOND_MS = 1_000;

/** Limits how often something happens within any second, by key. */
export class SecondRate {
  private readonly times = new Map<string, number[]>();

  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number,
  ) {}

  /** Takes one. Returns 0, or takes nothing and returns the time until the next one is allowed, in milliseconds. */
  take(key: string): number {
    const now = this.clock.elapsed();
    const recent = (this.times.get(key) ?? []).filter((at) => at > now - SECOND_MS);
    const [oldest = now] = recent;
    if (recent.length >= this.perSecond) return Math.ceil(oldest + SECOND_MS - now);
    this.times.set(key, [...recent, now]);
    return 0;
  }

  forget(key: string): void {
    this.times.delete(key);
  }
}
