import { expect, it } from 'vitest';
import { freeBytes } from './free-bytes.js';

it('bytes with a buffer of their own are freed, those that share one are not', () => {
  const own = Buffer.from(new ArrayBuffer(100_000));
  const shared = Buffer.from(new ArrayBuffer(100_000)).subarray(1);
  freeBytes(own);
  freeBytes(shared);
  expect([own.byteLength, shared.byteLength]).toEqual([0, 99_999]);
});
