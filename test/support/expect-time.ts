import { expect } from 'vitest';

/** Asserts that something took less than so many milliseconds, where nothing else runs (`LONG`): elsewhere it may take longer. */
export function expectTime(tookMs: number, maxMs: number): void {
  if (process.env['LONG']) expect(tookMs).toBeLessThan(maxMs);
}
