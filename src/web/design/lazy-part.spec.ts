import { expect, it } from 'vitest';
import { lazyPart } from './lazy-part.js';

it('a part of the page is loaded once, when it is first needed', async () => {
  let loads = 0;
  const part = lazyPart(async () => ++loads);
  expect(loads).toBe(0);
  expect([await part(), await part()]).toEqual([1, 1]);
});

it('a part that cannot be loaded is tried again, at growing distances of at most a minute', async () => {
  const pauses: number[] = [];
  const part = lazyPart(
    async () => {
      if (pauses.length < 9) throw new TypeError('Failed to fetch dynamically imported module');
      return 'the part';
    },
    async (ms) => void pauses.push(ms),
  );
  expect(await part()).toBe('the part');
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
});
