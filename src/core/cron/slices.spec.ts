import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { Slices } from './slices.js';

const STEP_MS = 2;
/** Steps until 5 ms are over. */
const STEPS_OF_SLICE = 3;

describe('a long computation', () => {
  it('lets other work pass every 5 ms, however many compute at once', async () => {
    const clock = new ManualClock();
    const slices = new Slices(clock);
    let steps = 0;
    const compute = async () => {
      for (let step = 0; step < 30; step++) {
        await slices.pause();
        clock.advance(STEP_MS);
        steps++;
      }
    };
    const all = Promise.all(Array.from({ length: 10 }, compute));
    let longest = 0;
    for (let before = 0; steps < 300; before = steps) {
      await new Promise((resolve) => setImmediate(resolve));
      longest = Math.max(longest, steps - before);
    }
    await all;
    expect(longest).toBe(STEPS_OF_SLICE);
  });
});
