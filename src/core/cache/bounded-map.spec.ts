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

  it('evicts in the order of use, whatever is deleted, used and cleared in between', () => {
    const map = new BoundedMap<number, number>(8);
    let model: number[] = [];
    const use = (key: number) => (model = [...model.filter((other) => other !== key), key]);
    for (let n = 0; n < 1_900; n++) {
      const key = (n * 7) % 23;
      if (n % 500 === 499) {
        map.clear();
        model = [];
      } else if (n % 11 === 0) {
        map.delete(key);
        model = model.filter((other) => other !== key);
      } else if (n % 3 === 0) {
        // The order of use matters near the capacity only.
        if (map.get(key) !== undefined && model.length > 4) use(key);
      } else {
        map.set(key, n);
        use(key);
        model = model.slice(-8);
      }
    }
    expect(Array.from({ length: 23 }, (_, key) => key).filter((key) => map.get(key) !== undefined)).toEqual(
      model.toSorted((a, b) => a - b),
    );
    expect(model).toHaveLength(8);
  });
});
