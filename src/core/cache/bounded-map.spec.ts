import { describe, expect, it } from 'vitest';
import { BoundedMap } from './bounded-map.js';

describe('BoundedMap', () => {
  it('evicts the least recently used entry only', () => {
    const map = new BoundedMap<string, number>(3);
    ['a', 'b', 'c'].forEach((key, index) => map.set(key, index));
    map.get('a');
    map.set('d', 3);
    expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([0, undefined, 2, 3]);
  });

  it('holds one entry per key', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 1);
    map.set('a', 2);
    expect([map.get('a'), map.get('b')]).toEqual([2, 1]);
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
  });
});
