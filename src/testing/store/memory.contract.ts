import { expect } from 'vitest';
import type { Memory, MemoryQuery } from '../../core/store/index.js';
import type { Contract, StoreBench } from './bench.js';

const PLENTY = 1_000;
let memories = 0;

function aMemory(text: string, changes: Partial<Memory> = {}): Memory {
  return {
    memoryId: `memory-${++memories}`,
    tenant: 'default',
    collection: 's_alice',
    text,
    createdAt: 1_800_000_000_000,
    ...changes,
  };
}

async function save(bench: StoreBench, ...texts: string[]): Promise<void> {
  for (const text of texts) await bench.store.saveMemory(aMemory(text), PLENTY);
}

async function search(bench: StoreBench, words: string, changes: Partial<MemoryQuery> = {}): Promise<string[]> {
  const query = {
    tenant: 'default',
    collections: ['s_alice'],
    words: words.split(' ').filter((word) => word !== ''),
    limit: 10,
    ...changes,
  };
  return (await bench.store.searchMemories(query)).map(({ text }) => text);
}

export const memoryContract: Contract = {
  'keeps memories unchanged across a crash': async (bench) => {
    const memory = aMemory('Tea, no "sugar" — 🦀\n(ever)');
    expect(await bench.store.saveMemory(memory, PLENTY)).toBe(true);
    await bench.under.crash();
    expect(
      await bench.store.searchMemories({ tenant: 'default', collections: ['s_alice'], words: ['tea'], limit: 1 }),
    ).toEqual([memory]);
  },

  'stores a memory once when it is saved again': async (bench) => {
    const memory = aMemory('once');
    for (const limit of [1, 1, 0]) expect(await bench.store.saveMemory(memory, limit)).toBe(true);
    expect(await search(bench, 'once')).toEqual(['once']);
  },

  '[O-25] finds memories by the beginning of any of their words, ignoring case and accents': async (bench) => {
    await save(bench, 'Alice drinks green tea', 'the café opens at nine', 'Überweisung am Montag');
    expect(await search(bench, 'TEA')).toEqual(['Alice drinks green tea']);
    expect(await search(bench, 'cafe')).toEqual(['the café opens at nine']);
    expect(await search(bench, 'uber')).toEqual(['Überweisung am Montag']);
    expect(await search(bench, 'rink')).toEqual([]);
    expect(new Set(await search(bench, 'nine alice'))).toEqual(
      new Set(['Alice drinks green tea', 'the café opens at nine']),
    );
  },

  'finds memories in scripts without spaces by any part of them': async (bench) => {
    const texts = [
      '我养了一只猫，叫小白',
      '東京オリンピックの思い出',
      '고양이는 우유를 좋아한다',
      'แมวชื่อขาว',
      'Tea 茶 at nine',
    ];
    await save(bench, ...texts);
    for (const [words, found] of [
      ['猫', 0],
      ['小白', 0],
      ['我的猫叫什么', 0],
      ['オリンピック', 1],
      ['ｵﾘﾝﾋﾟｯｸ', 1],
      ['東京', 1],
      ['思い出', 1],
      ['고양이가', 2],
      ['ขาว', 3],
      ['茶', 4],
      ['tea茶', 4],
    ] as const)
      expect((await search(bench, words))[0], words).toBe(texts[found]);
    expect(await search(bench, '犬')).toEqual([]);
    expect(await search(bench, '白小')).not.toContain(texts[1]);
  },

  '[O-25] puts memories with more and rarer words first, and the newest first without words': async (bench) => {
    await save(bench, 'a tea', 'b tea', 'c tea with lemon', 'd tea');
    expect((await search(bench, 'tea lemon'))[0]).toBe('c tea with lemon');
    expect(await search(bench, '')).toEqual(['d tea', 'c tea with lemon', 'b tea', 'a tea']);
    expect(await search(bench, '', { limit: 2 })).toEqual(['d tea', 'c tea with lemon']);
    expect(await search(bench, 'tea', { limit: 2 })).toHaveLength(2);
  },

  '[O-25] treats no word as search syntax': async (bench) => {
    await save(bench, 'NEAR the "river" OR not');
    for (const word of [
      '"',
      '""',
      '*',
      'river"',
      'NOT',
      'OR',
      'AND',
      'NEAR(',
      'text:',
      '-',
      '^',
      "'",
      ')',
      '{}',
      '\\',
      '%',
    ]) {
      await expect(search(bench, word)).resolves.toBeDefined();
    }
    expect(await search(bench, '"river"')).toHaveLength(1);
    expect(await search(bench, 'nothing:river')).toEqual([]);
  },

  '[O-26] returns no memory of another tenant or collection': async (bench) => {
    await bench.store.saveMemory(aMemory('secret', { tenant: 'acme' }), PLENTY);
    await bench.store.saveMemory(aMemory('secret of bob', { collection: 's_bob' }), PLENTY);
    for (const words of ['secret', '']) {
      expect(await search(bench, words)).toEqual([]);
      expect(await search(bench, words, { collections: [] })).toEqual([]);
      expect(await search(bench, words, { collections: ['s_alice', 's_bob'] })).toEqual(['secret of bob']);
    }
  },

  'separates the same id of two tenants': async (bench) => {
    for (const tenant of ['default', 'acme'])
      await bench.store.saveMemory(aMemory(`of ${tenant}`, { memoryId: 'same', tenant }), PLENTY);
    expect(await search(bench, 'of')).toEqual(['of default']);
    expect(await search(bench, 'of', { tenant: 'acme' })).toEqual(['of acme']);
  },

  'refuses a memory over the limit of a collection': async (bench) => {
    expect(await bench.store.saveMemory(aMemory('first'), 1)).toBe(true);
    expect(await bench.store.saveMemory(aMemory('second'), 1)).toBe(false);
    expect(await bench.store.saveMemory(aMemory('elsewhere', { collection: 's_bob' }), 1)).toBe(true);
    expect(await search(bench, '')).toEqual(['first']);
  },

  "deletes a session's memories with the session": async (bench) => {
    await bench.finish(await bench.run({ receivedAt: bench.under.now() }));
    await save(bench, 'mine');
    await bench.store.saveMemory(aMemory('theirs', { collection: 's_bob' }), PLENTY);
    const later = bench.under.now() + 1_000;
    while (await bench.store.sweep({ framesBefore: later, dedupeBefore: later, sessionsBefore: later }));
    expect(await bench.store.findSession('s_alice')).toBeUndefined();
    expect(await search(bench, '', { collections: ['s_alice', 's_bob'] })).toEqual(['theirs']);
    expect(await search(bench, 'mine')).toEqual([]);
  },
};
