import { expect, it } from 'vitest';
import { ExpiringMap } from './expiring-map.js';

it('an entry is gone when its time is over, and its time begins again when it is set again', () => {
  let now = 0;
  const map = new ExpiringMap<string, number>(2, 100, () => now);
  map.set('a', 1);
  now = 99;
  expect([map.get('a'), map.has('b')]).toEqual([1, false]);
  map.set('a', 2);
  now = 198;
  expect(map.get('a')).toBe(2);
  now = 199;
  expect(map.has('a')).toBe(false);
});

it('holds no more than its capacity, and says whether it has deleted something', () => {
  const map = new ExpiringMap<string, number>(2, 100, () => 0);
  for (const key of ['a', 'b', 'c']) map.set(key, 1);
  expect([map.has('a'), map.delete('b'), map.delete('b')]).toEqual([false, true, false]);
});
