import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut } from './cut.js';
import type { PartText } from './driver.js';
import { lengthOf, toPlainText } from './text-length.js';

const measure = (texts: readonly PartText[]) => toPlainText(texts).length;
const markdown = (text: string): PartText => ({ kind: 'markdown', text });
const cutTexts = (text: string, maxLength: number) =>
  cut([markdown(text)], maxLength, measure).map((part) => toPlainText(part));

describe('cut', () => {
  it('leaves what fits as it is, and puts texts that fit together into one part', () => {
    expect(cut([markdown('a'), { kind: 'code', text: 'b' }], 100, measure)).toEqual([
      [markdown('a'), { kind: 'code', text: 'b' }],
    ]);
    expect(cut([], 100, measure)).toEqual([]);
  });

  it('cuts after paragraphs, else after lines, sentences and words', () => {
    expect(cutTexts('one two\n\nthree four\n\nfive', 22)).toEqual(['one two\n\nthree four', 'five']);
    expect(cutTexts('one two\nthree four\nfive', 20)).toEqual(['one two\nthree four', 'five']);
    expect(cutTexts('One two. Three four. Five six', 24)).toEqual(['One two. Three four.', 'Five six']);
    expect(cutTexts('one two three four', 10)).toEqual(['one two', 'three four']);
  });

  it('cuts a word that is too long, but no grapheme cluster', () => {
    expect(cutTexts('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    const family = '👩‍👩‍👧';
    expect(cutTexts(family.repeat(3), family.length + 1)).toEqual([family, family, family]);
    expect(cutTexts('e\u0301'.repeat(3), 3)).toEqual(['e\u0301', 'e\u0301', 'e\u0301']);
  });

  it('cuts no link and no inline code', () => {
    expect(cutTexts('see the [manual of it](https://example.com/a) now', 45)).toEqual([
      'see the [manual of it](https://example.com/a)',
      'now',
    ]);
    expect(cutTexts('some words, [manual of it](https://example.com/a) now', 40)).toEqual([
      'some words,',
      '[manual of it](https://example.com/a)',
      'now',
    ]);
    expect(cutTexts('some words, `let it = be` now', 20)).toEqual(['some words,', '`let it = be` now']);
  });

  it('closes a code fence and opens it again', () => {
    const text = 'before\n\n```ts\nconst a = 1;\nconst b = 2;\nconst c = 3;\n```\n\nafter';
    expect(cutTexts(text, 40)).toEqual([
      'before\n\n```ts\nconst a = 1;\n```',
      '```ts\nconst b = 2;\nconst c = 3;\n```',
      'after',
    ]);
  });

  it('keeps the limit in each unit, loses no word, and does not change earlier parts when more follows', () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .map((text) => text.replace(/[\s`~<[\]]/g, 'x'));
    const text = fc.array(fc.tuple(word, fc.constantFrom(' ', '\n', '\n\n', '. ')), { maxLength: 60 });
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 150, max: 400 }),
        fc.constantFrom('bytes', 'UTF-16 units'),
        (words, max, unit) => {
          const lengthIn = (texts: readonly PartText[]) => lengthOf(toPlainText(texts), unit);
          const whole = words.map((pair) => pair.join('')).join('');
          const parts = cut([markdown(whole)], max, lengthIn);
          for (const part of parts) expect(lengthIn(part)).toBeLessThanOrEqual(max);
          const squeeze = (all: string) => all.replace(/\s+/g, '');
          expect(squeeze(parts.map(toPlainText).join(''))).toBe(squeeze(whole));
          const more = cut([markdown(`${whole}and more words that follow`)], max, lengthIn);
          expect(more.slice(0, parts.length - 1)).toEqual(parts.slice(0, -1));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('always ends, whatever the text and however small the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (text, max) => {
        const parts = cutTexts(text, max);
        expect(parts.length).toBeLessThanOrEqual(text.length * 3 + 1);
      }),
      { numRuns: 100 },
    );
  });
});
