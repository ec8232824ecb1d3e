import { describe, expect, it } from 'vitest';
import { MessageRefs } from './message-refs.js';

const refs = new MessageRefs([
  { name: 'abc123', firstOrd: 1 },
  { name: 'idle00', firstOrd: 50 },
  { name: 'def456', firstOrd: 50 },
]);

describe('MessageRefs', () => {
  it('parses its own refs', () => {
    for (const ord of [1, 35, 36, 49, 50, 1_234_567, Number.MAX_SAFE_INTEGER])
      expect(refs.parse(refs.format(ord))).toBe(ord);
  });

  it('names the start in which a message was accepted', () => {
    expect([1, 49, 50].map((ord) => refs.format(ord))).toEqual(['m_abc123_1', 'm_abc123_1d', 'm_def456_1e']);
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
