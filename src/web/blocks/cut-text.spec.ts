import { describe, expect, it } from 'vitest';
import { cutMarkdown, cutText } from './cut-text.js';

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

  it('of Markdown is cut at a blank line outside of code', () => {
    const text = 'one\n\n```\ntwo\n\nthree\n```\n\nfour';
    expect(cutMarkdown(text, 100)).toBe(text);
    expect(cutMarkdown(text, 27)).toBe('one\n\n```\ntwo\n\nthree\n```\n\n');
    expect(cutMarkdown(`${'a\n\n'.repeat(4)}\`\`\`\nx\n\ny`, 19)).toBe('a\n\n'.repeat(4));
    expect(cutMarkdown('a'.repeat(50), 20)).toBe('a'.repeat(20));
  });
});
