import { expect, it } from 'vitest';
import { formatBytes } from './sizes.js';

it('sizes have one decimal and a unit that fits', () => {
  expect([0, 1, 999, 1_000, 1_234_567, 20_971_520, 5e12].map(formatBytes)).toEqual([
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1 kB',
    '1.2 MB',
    '21 MB',
    '5,000 GB',
  ]);
});
