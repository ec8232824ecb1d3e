import { expect, it } from 'vitest';
import { SegmentedMap } from './segmented-map.js';

it('a flood of entries that are used once leaves few of them, and all that were used again', () => {
  const map = new SegmentedMap<number, number>(50, 4);
  for (let key = 0; key < 50; key++) {
    map.add(key, key);
    map.use(key);
  }
  for (let key = 50; key < 1_000; key++) map.add(key, key);
  const kept = Array.from({ length: 1_000 }, (_, key) => key).filter((key) => map.get(key) === key);
  expect(kept).toEqual([...Array.from({ length: 50 }, (_, key) => key), 996, 997, 998, 999]);
});

it('an entry that is looked at only is not used again', () => {
  const map = new SegmentedMap<string, number>(2, 1);
  map.add('a', 1);
  expect(map.get('a')).toBe(1);
  map.add('b', 2);
  expect([map.get('a'), map.get('b'), map.use('c')]).toEqual([undefined, 2, undefined]);
});

it('an entry is gone when it was deleted, whether it was used again or not', () => {
  const map = new SegmentedMap<string, number>(2, 2);
  map.add('a', 1);
  map.use('a');
  map.add('b', 2);
  map.delete('a');
  map.delete('b');
  expect([map.get('a'), map.get('b')]).toEqual([undefined, undefined]);
  map.add('c', 3);
  map.use('c');
  map.add('d', 4);
  map.clear();
  expect([map.use('c'), map.use('d')]).toEqual([undefined, undefined]);
});
