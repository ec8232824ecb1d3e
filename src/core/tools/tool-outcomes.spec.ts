import { describe, expect, it } from 'vitest';
import { checkResult } from './tool-outcomes.js';

describe('the result of a tool', () => {
  it('has texts that every reader can take: no NUL and no half of a surrogate pair', () => {
    const returned = { text: 'a\u0000b\uD800c', list: ['\uDFFF', '😀'], plain: '\\u0000' };
    expect(checkResult('acme.pay', returned)).toEqual({
      ok: true,
      content: { text: 'a\uFFFDb\uFFFDc', list: ['\uFFFD', '😀'], plain: '\\u0000' },
    });
  });

  it('is a copy of what the tool has returned', () => {
    const returned = { list: [1] };
    const outcome = checkResult('acme.pay', returned);
    returned.list.push(2);
    expect(outcome).toEqual({ ok: true, content: { list: [1] } });
  });
});
