import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/index.js';
import { RateBuckets, WINDOW_MS } from './rate-buckets.js';

describe('RateBuckets', () => {
  const take = (buckets: RateBuckets, times: number, perMinute: number, key = 'k') =>
    Array.from({ length: times }, () => buckets.take(key, perMinute)).filter((waitMs) => waitMs === 0).length;

  it('allows the quota of a minute at once, then one message at regular intervals', () => {
    const clock = new ManualClock();
    const buckets = new RateBuckets(clock);
    expect(take(buckets, 100, 6)).toBe(6);
    expect(buckets.take('k', 6)).toBe(10_000);
    clock.advance(9_999);
    expect(buckets.take('k', 6)).toBe(1);
    clock.advance(1);
    expect(take(buckets, 100, 6)).toBe(1);
  });

  it('returns how long to wait, and that wait is long enough', () => {
    const clock = new ManualClock();
    const buckets = new RateBuckets(clock);
    take(buckets, 1_000, 7);
    clock.advance(buckets.take('k', 7));
    expect(buckets.take('k', 7)).toBe(0);
  });

  it('counts each key separately', () => {
    const buckets = new RateBuckets(new ManualClock());
    expect(take(buckets, 10, 5, 'a')).toBe(5);
    expect(take(buckets, 10, 5, 'b')).toBe(5);
  });

  it('applies a changed limit at once', () => {
    const buckets = new RateBuckets(new ManualClock());
    expect(take(buckets, 10, 5)).toBe(5);
    expect(take(buckets, 1_000, 600)).toBe(0);
    expect(take(new RateBuckets(new ManualClock()), 1_000, 600)).toBe(600);
  });

  it('never allows more than twice the limit in any minute, and starves no key, whatever the calls', () => {
    const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 1, max: 20 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), calls, (perMinute, steps) => {
        const clock = new ManualClock();
        const buckets = new RateBuckets(clock);
        const passedAt: number[] = [];
        for (const [pauseMs, times] of steps) {
          clock.advance(pauseMs);
          for (let i = 0; i < times; i++) if (buckets.take('k', perMinute) === 0) passedAt.push(clock.now());
        }
        for (const [i, at] of passedAt.entries()) {
          const inWindow = passedAt.slice(i).filter((other) => other - at < WINDOW_MS).length;
          if (inWindow > 2 * perMinute) return false;
        }
        clock.advance(WINDOW_MS);
        return take(buckets, perMinute, perMinute) === perMinute;
      }),
    );
  });

  it('forgets unused keys, and holds at most twice its bound under a flood of new ones', () => {
    const clock = new ManualClock();
    const buckets = new RateBuckets(clock, 100);
    const inside = buckets as unknown as { recent: Map<string, number>; older: Map<string, number> };
    const size = () => inside.recent.size + inside.older.size;
    for (let i = 0; i < 10_000; i++) buckets.take(`k${i}`, 10);
    expect(size()).toBeLessThanOrEqual(200);
    clock.advance(2 * WINDOW_MS);
    buckets.take('a', 10);
    clock.advance(WINDOW_MS);
    buckets.take('b', 10);
    expect(size()).toBeLessThanOrEqual(2);
  });

  it('remembers an exhausted key across the change of generations', () => {
    const clock = new ManualClock();
    const buckets = new RateBuckets(clock);
    clock.advance(WINDOW_MS - 1);
    expect(take(buckets, 100, 60)).toBe(60);
    clock.advance(1_001);
    expect(take(buckets, 100, 60)).toBe(1);
  });

  it('[N-05] keep an exhausted key exhausted under a flood of new keys', () => {
    const buckets = new RateBuckets(new ManualClock(), 100);
    expect(take(buckets, 10, 10)).toBe(10);
    for (let i = 0; i < 10_000; i++) buckets.take(`k${i}`, 10);
    expect(take(buckets, 10, 10)).toBe(0);
  });

  it.each([86_400_000, -86_400_000])('[N-01] neither blocks nor opens when the clock is set by %d ms', (ms) => {
    const clock = new ManualClock();
    const buckets = new RateBuckets(clock);
    expect(take(buckets, 10, 6)).toBe(6);
    clock.setWallTime(ms);
    expect([buckets.take('k', 6), buckets.take('new', 6)]).toEqual([10_000, 0]);
    clock.advance(10_000);
    expect(take(buckets, 10, 6)).toBe(1);
  });
});
