import { expect, it } from 'vitest';
import { ManualClock } from '../../../testing/manual-clock.js';
import { PlatformClock } from './platform-clock.js';

const HOUR_MS = 3_600_000;

it('a time that is far from the last one counts when a second response confirms it', () => {
  const clock = new ManualClock();
  const platform = new PlatformClock(clock);
  const now = clock.now();
  platform.note(now + 5_000);
  platform.note(now + HOUR_MS);
  platform.note(now + 6_000);
  platform.note(now + 7_000);
  expect([platform.now(), platform.at(now - 1_000), platform.describe()]).toEqual([
    now + 7_000,
    now + 6_000,
    undefined,
  ]);
  platform.note(now - HOUR_MS);
  expect(platform.now()).toBe(now + 7_000);
  platform.note(now - HOUR_MS);
  expect([platform.now(), platform.describe()]).toEqual([now - HOUR_MS, 'the clocks are 3600 s apart']);
});
