import { describe, expect, it } from 'vitest';
import { MessageRefs } from './message-refs.js';

const refs = new MessageRefs([
  { name: 'abc123', firstOrd: 1, refKey: null },
  { name: 'idle00', firstOrd: 50, refKey: null },
  { name: 'def456', firstOrd: 50, refKey: null },
  { name: 'hidden', firstOrd: 1_000, refKey: new Uint8Array(24).fill(7) },
]);

describe('MessageRefs', () => {
  it('parses its own refs', () => {
    for (const ord of [1, 35, 36, 49, 50, 999, 1_000, 1_234_567, 2 ** 48 - 1])
      expect(refs.parse(refs.format(ord))).toBe(ord);
  });

  it('names the start in which a message was accepted', () => {
    expect([1, 49, 50].map((ord) => refs.format(ord))).toEqual(['m_abc123_1', 'm_abc123_1d', 'm_def456_1e']);
  });

  it('[E14] hides how many messages there were between two', () => {
    const places = [1_000, 1_001, 1_002].map((ord) => refs.format(ord));
    expect(places).not.toContain('m_hidden_rs');
    const [first = 0, second = 0, third = 0] = places.map((ref) => Number.parseInt(ref.slice('m_hidden_'.length), 36));
    expect(new Set([1, second - first, third - second]).size).toBe(3);
  });

  it('rejects texts that a start with a key does not give', () => {
    const ref = refs.format(1_000);
    const strangers = [`${ref}0`, ref.slice(0, -1), ref.toUpperCase(), `${ref} `, 'm_hidden_zzzzzzzzzz', 'm_hidden_rs'];
    expect(strangers.map((stranger) => refs.parse(stranger))).toEqual(strangers.map(() => undefined));
  });

  it('rejects a ref that it would not generate', () => {
    const strangers = [
      '',
      'm_',
      'm_abc123_',
      'm_other_1',
      'm_abc123_-1',
      'm_abc123_01',
      'm_abc123_A',
      'm_abc123_1 ',
      'm_abc123_zzzzzzzzzzzz',
      'm_abc123_1e',
      'm_def456_1',
      'm_idle00_1e',
    ];
    expect(strangers.map((stranger) => refs.parse(stranger))).toEqual(strangers.map(() => undefined));
  });
});
