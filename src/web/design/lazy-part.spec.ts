import { afterEach, expect, it, vi } from 'vitest';
import { lazyPart, PART_MISSING } from './lazy-part.js';

afterEach(() => vi.unstubAllGlobals());

it('a part of the page is loaded once, when it is first needed', () => {
  let loads = 0;
  const loadPart = lazyPart(async () => ++loads);
  expect(loads).toBe(0);
  loadPart();
  loadPart();
  expect(loads).toBe(1);
});

it('a part that cannot be loaded is reported once', async () => {
  const reports: string[] = [];
  vi.stubGlobal('dispatchEvent', ({ type }: Event) => reports.push(type));
  const loadPart = lazyPart(() => Promise.reject(new TypeError('Failed to fetch dynamically imported module')));
  loadPart();
  loadPart();
  await expect.poll(() => reports).toEqual([PART_MISSING]);
});
