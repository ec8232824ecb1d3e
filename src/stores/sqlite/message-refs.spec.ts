import { describe, expect, it } from 'vitest';
import { MessageRefs } from './message-refs.js';

const refs = new MessageRefs('abc123');

describe('MessageRefs', () => {
  it('parses its own refs', () => {
    for (const ord of [1, 35, 36, 1_234_567, Number.MAX_SAFE_INTEGER]) expect(refs.parse(refs.format(ord))).toBe(ord);
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
    ];
    expect(strangers.map((stranger) => refs.parse(stranger))).toEqual(strangers.map(() => undefined));
  });
});
