import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { RecencyMap } from './recency-map.js';

const SIZE = 4_096;

/** Returns the size of what lives in the heap, in bytes. */
function measureHeap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('RecencyMap', () => {
  it('keeps the order of use and knows the oldest entry, whatever is moved, deleted and cleared', () => {
    const map = new RecencyMap<number, number>();
    let model: number[] = [];
    for (let n = 0; n < 3_000; n++) {
      const key = (n * 7) % 23;
      if (n % 500 === 499) {
        map.clear();
        model = [];
      } else if (n % 3 === 0) {
        map.delete(key);
        model = model.filter((other) => other !== key);
      } else {
        map.set(key, n);
        model = [...model.filter((other) => other !== key), key];
      }
      if (n % 5 < 3) expect(map.oldest()).toBe(model[0]);
      expect(map.size).toBe(model.length);
    }
    expect([...map].map(([key]) => key)).toEqual(model);
    expect([...map.values()]).toEqual(model.map((key) => map.get(key)));
  });

  it('takes no more memory, however often its entries are moved while the oldest one is not looked for', () => {
    const map = new RecencyMap<number, true>();
    for (let key = 0; key < SIZE; key++) map.set(key, true);
    map.oldest();
    const before = measureHeap();
    // A table of the map takes 100 KB, and each is full after as many moves as it has entries.
    for (let round = 0; round < 200; round++) for (let key = 1; key < SIZE; key++) map.set(key, true);
    expect(measureHeap() - before).toBeLessThan(4_000_000);
    expect(map.oldest()).toBe(0);
  });
});
