import { afterEach, expect, it, vi } from 'vitest';
import { lazyPart, PART_MISSING } from './lazy-part.js';

afterEach(() => vi.unstubAllGlobals());

it('a part of the page is loaded once, when it is first needed', async () => {
  let loads = 0;
  const part = lazyPart(async () => ++loads);
  expect(loads).toBe(0);
  expect([await part(), await part()]).toEqual([1, 1]);
});

it('a part that cannot be loaded is reported once', async () => {
  const reports: string[] = [];
  vi.stubGlobal('dispatchEvent', ({ type }: Event) => reports.push(type));
  const part = lazyPart(() => Promise.reject(new TypeError('Failed to fetch dynamically imported module')));
  expect([await part(), await part()]).toEqual([undefined, undefined]);
  expect(reports).toEqual([PART_MISSING]);
});
