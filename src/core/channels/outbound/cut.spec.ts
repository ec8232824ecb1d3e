import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut } from './cut.js';
import type { PartText } from '../driver.js';
import { lengthOf, toPlainText } from '../kit/text-length.js';

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

  it('closes inline code that is longer than a part, and opens it again', () => {
    const json = '```[{"id": 0, "name": "item 0"}, {"id": 1, "name": "item 1"}]```';
    expect(cutTexts(json, 40)).toEqual(['```[{"id": 0, "name": "item 0"},```', '```{"id": 1, "name": "item 1"}]```']);
  });

  it('repeats of a code fence only its marks and its language', () => {
    const text = `\`\`\`ts title="${'a name '.repeat(4)}"\nconst a = 1;\nconst b = 2;\n\`\`\``;
    const [, ...later] = cutTexts(text, 56);
    expect(later).toEqual(['```ts\nconst a = 1;\nconst b = 2;\n```']);
  });

  it.each([
    ['a fence whose first line fills a part', `\`\`\`${'{"id": 0} '.repeat(400)}`],
    ['a fence of one line', `\`\`\`${'word '.repeat(1_000)}\`\`\``],
    ['a fence without spaces', `~~~${'x'.repeat(4_000)}`],
    ['backticks alone', '`'.repeat(3_000)],
    ['words, then backticks', `${'x '.repeat(900)}${'`'.repeat(1_500)}`],
    ['runs of backticks that have no partner', Array.from({ length: 80 }, (_, n) => '`'.repeat(n + 1)).join(' ')],
    ['brackets that are not closed', '['.repeat(4_000)],
    ['links that are not closed', '[a]('.repeat(1_000)],
    ['angle brackets that are not closed', '<'.repeat(4_000)],
  ])('cuts %s into as few parts as its length needs', (_, text) => {
    for (const max of [500, 1_990]) {
      const parts = cutTexts(text, max);
      expect(parts.length).toBeLessThanOrEqual(Math.ceil(text.length / (max / 4)) + 1);
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(max);
      const letters = (all: string) => all.replaceAll(/[\s`~]/g, '');
      expect(letters(parts.join(''))).toBe(letters(text));
    }
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

  it('measures a few heads for each part, none longer than twice the limit', () => {
    for (const grows of [1, 1.3, 3]) {
      const heads: number[] = [];
      const parts = cut([markdown('word word. '.repeat(6_000))], 4_096, (texts) => {
        heads.push(measure(texts));
        return Math.ceil(measure(texts) * grows);
      });
      expect(heads.length).toBeLessThanOrEqual(parts.length * 8);
      expect(Math.max(...heads)).toBeLessThanOrEqual(2 * 4_096);
    }
  });

  it('always ends, whatever the text and however small the limit', () => {
    const marks = fc.tuple(fc.constantFrom('`', '~', '[', '<', '\n', ' '), fc.integer({ min: 1, max: 60 }));
    const run = marks.map(([mark, length]) => mark.repeat(length));
    const piece = fc.oneof(run, fc.string({ unit: 'binary', maxLength: 80 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), fc.integer({ min: 1, max: 100 }), (pieces, max) => {
        const text = pieces.join('');
        expect(cutTexts(text, max).length).toBeLessThanOrEqual(text.length * 3 + 1);
      }),
      { numRuns: 50 },
    );
  });
});
