import { describe, expect, it } from 'vitest';
import { Permutation, PERMUTATION_KEY_BYTES } from './permutation.js';

const aKey = (fill: number) => Uint8Array.from({ length: PERMUTATION_KEY_BYTES }, (_, i) => (i * 37 + fill) % 256);

describe('a keyed permutation', () => {
  it('gives each number a text of its own, and the number back', () => {
    const permutation = new Permutation(aKey(1));
    const texts = Array.from({ length: 20_000 }, (_, n) => permutation.encode(n));
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.filter((text) => !/^[0-9a-z]{10}$/.test(text))).toEqual([]);
    expect(texts.map((text) => permutation.decode(text))).toEqual(texts.map((_, n) => n));
    const edges = [2 ** 24 - 1, 2 ** 24, 2 ** 32, 2 ** 48 - 1];
    expect(edges.map((n) => permutation.decode(permutation.encode(n)))).toEqual(edges);
  });

  it.each(['', '0', '000000000', '00000000000', '000000000A', 'zzzzz00000', '00000zzzzz', '0000 00000'])(
    'has no number for %j',
    (text) => expect(new Permutation(aKey(1)).decode(text)).toBeUndefined(),
  );

  it('shows neither the order nor the distance of numbers, and is another one with another key', () => {
    const [one, other] = [new Permutation(aKey(1)), new Permutation(aKey(2))];
    const texts = Array.from({ length: 1_000 }, (_, n) => one.encode(n));
    const rises = texts.filter((text, n) => text > (texts[n - 1] ?? '~')).length;
    expect(rises).toBeGreaterThan(400);
    expect(rises).toBeLessThan(600);
    const places = texts.map((text) => Number.parseInt(text, 36));
    const distances = places.slice(1).map((place, n) => place - (places[n] ?? 0));
    expect(new Set(distances).size).toBe(distances.length);
    expect(texts.filter((text, n) => text === other.encode(n))).toEqual([]);
  });
});
