import { describe, expect, it } from 'vitest';
import { Activity, ACTIVITY_WINDOW_MS, MAX_RECENT } from './activity.js';

describe('Activity', () => {
  it('counts a session once, even if it was used and has unfinished messages', () => {
    const unfinished = new Set([1]);
    const activity = new Activity((session) => unfinished.has(session));
    activity.touch(1, 10_000);
    activity.touch(2, 20_000);
    activity.touch(2, 30_000);
    activity.touch(3, 30_000);
    expect(activity.count(30_000, 0)).toBe(3);
    expect(activity.count(30_000, 25_000)).toBe(3);
    unfinished.clear();
    expect(activity.count(30_000, 25_000)).toBe(2);
  });

  it('forgets uses before its window, but no session with unfinished messages', () => {
    const unfinished = new Set([1, 2]);
    const activity = new Activity((session) => unfinished.has(session));
    for (const session of [1, 2, 3]) activity.touch(session, 0);
    activity.recall(4);
    const later = ACTIVITY_WINDOW_MS + 1;
    expect(activity.count(later, 0)).toBe(3);
    activity.end(1);
    activity.touch(2, later);
    expect(activity.count(later, later)).toBe(2);
    activity.endAll();
    expect(activity.count(later, later)).toBe(1);
  });

  it('[N-15] knows a limited number of uses, and every session with unfinished messages', () => {
    const activity = new Activity((session) => session === 0);
    for (let session = 0; session < MAX_RECENT + 10; session++) activity.touch(session, 1_000);
    expect(activity.count(2_000, 0)).toBe(MAX_RECENT + 1);
  });

  it('forgets the least recently used session first, also after all were forgotten', () => {
    const activity = new Activity(() => false);
    const countAt = (at: number) => activity.count(ACTIVITY_WINDOW_MS + at, 0);
    for (const [session, at] of [
      [1, 0],
      [2, 1_000],
      [1, 2_000],
      [3, 3_000],
    ] as const)
      activity.touch(session, at);
    expect([countAt(500), countAt(1_500)]).toEqual([3, 2]);
    activity.touch(1, 4_000);
    expect([countAt(2_500), countAt(3_500), countAt(4_500)]).toEqual([2, 1, 0]);
    activity.touch(2, 5_000);
    expect([countAt(4_500), countAt(5_500)]).toEqual([1, 0]);
  });

  it('visits no session to count those of its window', () => {
    let visits = 0;
    const activity = new Activity(() => ++visits > 0);
    for (let session = 0; session < 10_000; session++) activity.touch(session, 1_000);
    expect(activity.count(ACTIVITY_WINDOW_MS, 0)).toBe(10_000);
    expect(visits).toBe(0);
  });
});
