import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ticks } from './ticker.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it('seconds come while the page is visible, and none before somebody subscribes', async () => {
  expect(vi.getTimerCount()).toBe(0);
  const page = { visibilityState: 'visible' };
  vi.stubGlobal('document', page);
  let seconds = 0;
  const stop = ticks.subscribe(() => seconds++);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(seconds).toBe(3);
  page.visibilityState = 'hidden';
  await vi.advanceTimersByTimeAsync(3_000);
  page.visibilityState = 'visible';
  stop();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(seconds).toBe(3);
});
