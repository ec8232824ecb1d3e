import { describe, expect, it } from 'vitest';
import { Activity, ACTIVITY_WINDOW_MS } from './activity.js';
import { BoundedMap } from './bounded-map.js';

describe('BoundedMap', () => {
  it('forgets only the least recently used entry', () => {
    const map = new BoundedMap<string, number>(3);
    ['a', 'b', 'c'].forEach((key, index) => map.set(key, index));
    map.get('a');
    map.set('d', 3);
    expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([0, undefined, 2, 3]);
  });

  it('has one entry per key', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 1);
    map.set('a', 2);
    expect([map.get('a'), map.get('b')]).toEqual([2, 1]);
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
  });
});

describe('Activity', () => {
  it('counts each session once, whether it was used or has waiting messages', () => {
    const activity = new Activity();
    activity.touch(1, 10_000);
    activity.touch(2, 20_000);
    activity.touch(1, 30_000);
    expect(activity.count(0, [])).toBe(2);
    expect(activity.count(25_000, [])).toBe(1);
    expect(activity.count(25_000, [1, 3])).toBe(2);
  });

  it('keeps entries no longer than required', () => {
    const activity = new Activity();
    activity.touch(1, 0);
    activity.touch(2, ACTIVITY_WINDOW_MS + 1);
    expect(activity.count(0, [])).toBe(1);
  });
});
