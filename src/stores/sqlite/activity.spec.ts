import { describe, expect, it } from 'vitest';
import { Activity, ACTIVITY_WINDOW_MS } from './activity.js';

describe('Activity', () => {
  it('counts a session once, even if it was used and has waiting messages', () => {
    const activity = new Activity();
    activity.touch(1, 10_000);
    activity.touch(2, 20_000);
    activity.touch(1, 30_000);
    expect(activity.count(0, [])).toBe(2);
    expect(activity.count(25_000, [])).toBe(1);
    expect(activity.count(25_000, [1, 3])).toBe(2);
  });

  it('drops sessions that were last used before its window', () => {
    const activity = new Activity();
    activity.touch(1, 0);
    activity.touch(2, ACTIVITY_WINDOW_MS + 1);
    expect(activity.count(0, [])).toBe(1);
  });
});
