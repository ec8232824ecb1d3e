import { describe, expect, it } from 'vitest';
import { cutText } from './cut-text.js';

describe('a long text', () => {
  it('is cut into parts that make the whole, after line breaks where there are some', () => {
    const text = 'one two\nthree four\nfive';
    expect(cutText(text, 10)).toEqual(['one two\n', 'three four', '\nfive']);
    expect(cutText(text, 100)).toEqual([text]);
    expect(cutText('', 10)).toEqual([]);
  });

  it('is not cut within a character', () => {
    const text = '🦞'.repeat(7);
    expect(cutText(text, 5)).toEqual(['🦞🦞', '🦞🦞', '🦞🦞', '🦞']);
    expect(cutText(text, 5).join('')).toBe(text);
  });
});
