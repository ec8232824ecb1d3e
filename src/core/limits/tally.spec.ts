import { expect, it } from 'vitest';
import { Tally } from './tally.js';

it('a tally counts the entries of each key, and each leaves once', () => {
  const tally = new Tally();
  const leaveFirst = tally.enter('a');
  const leaveSecond = tally.enter('a');
  tally.enter('b')();
  expect([tally.count('a'), tally.count('b'), tally.isEmpty]).toEqual([2, 0, false]);
  leaveFirst();
  leaveFirst();
  expect([tally.count('a'), tally.isEmpty]).toEqual([1, false]);
  leaveSecond();
  expect([tally.count('a'), tally.isEmpty]).toEqual([0, true]);
});
