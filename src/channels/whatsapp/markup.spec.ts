import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut } from '../../core/channels/cut.js';
import type { PartText } from '../../core/channels/driver.js';
import { markUp, measure } from './markup.js';

const RUNS = process.env['LONG'] ? 1_000 : 100;

const markdown = (text: string): PartText => ({ kind: 'markdown', text });
const mark = (text: string) => markUp([markdown(text)]);

/** A piece of Markdown with the words that people must see, in order. */
interface Piece {
  readonly source: string;
  readonly words: readonly string[];
}

const DEPTH = fc.createDepthIdentifier();
let count = 0;
const word = fc.constantFrom('alpha', 'be & be', 'a<b>', '"q"', 'naïve', '日本', '👩‍👩‍👧', '5 > 4').map((text): Piece => {
  const marked = `w${++count}`;
  return { source: `${marked} ${text}`, words: [marked] };
});

const around =
  (before: string, after: string) =>
  (piece: Piece): Piece => ({ source: `${before}${piece.source}${after}`, words: piece.words });

const join =
  (separator: string) =>
  (pieces: readonly Piece[]): Piece => ({
    source: pieces.map(({ source }) => source).join(separator),
    words: pieces.flatMap(({ words }) => words),
  });

const prefixed = (first: string, rest: string) => (piece: Piece) => ({
  source: piece.source
    .split('\n')
    .map((line, n) => (n === 0 ? first : rest) + line)
    .join('\n'),
  words: piece.words,
});

const { inline, block } = fc.letrec<{ inline: Piece; block: Piece }>((tie) => {
  const some = fc.array(tie('inline'), { minLength: 1, maxLength: 3 }).map(join(' '));
  const blocks = fc.array(tie('block'), { minLength: 1, maxLength: 3 }).map(join('\n\n'));
  return {
    inline: fc.oneof(
      { maxDepth: 2, depthIdentifier: DEPTH },
      word,
      some.map(around('**', '**')),
      some.map(around('*', '*')),
      word.map(around('~~', '~~')),
      word.map(around('`', '`')),
      some.map(around('[', '](https://example.com/?a=1&b="2")')),
      some.map(around('<div class="x">', '</div>')),
    ),
    block: fc.oneof(
      { maxDepth: 2, depthIdentifier: DEPTH },
      some,
      some.map(around('## ', '')),
      blocks.map(prefixed('> ', '> ')),
      blocks.map(prefixed('- ', '  ')),
      blocks.map(prefixed('1. ', '   ')),
      some.map(around('- [x] ', '')),
      word.map(around('```ts\n', '\n```')),
      fc.array(word, { minLength: 2, maxLength: 2 }).map(([a, b]) => ({
        source: `| A | B |\n|---|--:|\n| ${a?.source} | ${b?.source} |`,
        words: [...(a?.words ?? []), ...(b?.words ?? [])],
      })),
    ),
  };
});

/** Asserts that each fence is closed, and each mark on the line on which it is set, the inner one first. */
function expectBalanced(text: string): void {
  const pieces = text.split('```');
  expect(pieces.length % 2, text).toBe(1);
  const outside = pieces.filter((_, n) => n % 2 === 0);
  for (const line of outside
    .join('\n')
    .replaceAll(/`[^`\n]*`/g, '')
    .split('\n')) {
    const open: string[] = [];
    for (const [sign] of line.replaceAll(/\(https?:[^)]*\)/g, '').matchAll(/[*_~]/g)) {
      if (open.at(-1) === sign) open.pop();
      else open.push(sign);
    }
    expect(open, line).toEqual([]);
  }
}

function expectInOrder(text: string, words: readonly string[]): void {
  let at = 0;
  for (const one of words) {
    const found = text.indexOf(one, at);
    expect(found, `${one} in ${text}`).toBeGreaterThanOrEqual(0);
    at = found + one.length;
  }
}

describe('markup for WhatsApp', () => {
  it(`of ${RUNS} generated texts is balanced and preserves the text`, () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }).map(join('\n\n')), ({ source, words }) => {
        const text = mark(source);
        expectBalanced(text);
        expectInOrder(text, words);
        // What does not fit is never measured as if it did.
        expect(measure([markdown(source)], text.length - 1)).toBeGreaterThanOrEqual(text.length);
      }),
      { numRuns: RUNS },
    );
  });

  it('of texts of arbitrary characters preserves their letters', () => {
    const character = fc.constantFrom(...'*_~`[]()<>!|#-+.:\n 1aä\\'.split(''), '👩‍👩‍👧', '```\n', '> ', '](http://x)');
    const lettersOf = (text: string) => text.replaceAll(/[^aä👩]/gu, '');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 200 }), (source) => {
        // Not shown are definitions of links, the language of a fence, and the address of a link that is its text.
        fc.pre(!/\]:|```|</.test(source));
        expect(lettersOf(mark(source)), source).toBe(lettersOf(source));
      }),
      { numRuns: RUNS },
    );
  });

  it('of the parts of a long text keeps the limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(block, inline), { minLength: 20, maxLength: 60 }).map(join('\n\n')),
        ({ source, words }) => {
          const parts = cut([markdown(source)], 400, (texts) => measure(texts, 400));
          const shown = parts.map((texts) => markUp(texts));
          for (const text of shown) expect(text.length).toBeLessThanOrEqual(400);
          expectInOrder(shown.join('\n'), words);
        },
      ),
      { numRuns: RUNS / 20 },
    );
  });

  // From the CommonMark specification, and GitHub's tables.
  it.each([
    ['# foo', '*foo*'],
    ['*foo bar*', '_foo bar_'],
    ['**foo**', '*foo*'],
    ['***strong emph***', '_*strong emph*_'],
    ['a * foo bar*', 'a * foo bar*'],
    ['foo**bar**baz', 'foobarbaz'],
    ['(**bar**)', '(*bar*)'],
    ['**a\nb**', '*a*\n*b*'],
    ['**a*b**', 'a*b'],
    ['~~Hi~~ Hello', '~Hi~ Hello'],
    ['`foo`', '`foo`'],
    ['`` foo ` bar ``', 'foo ` bar'],
    ['`<a>&`', '`<a>&`'],
    ['```ruby\ndef foo\n```', '```\ndef foo\n```'],
    ['````\na ``` b\n````', 'a ``` b'],
    ['    a simple\n      indented code block', '```\na simple\n  indented code block\n```'],
    ['> # Foo\n> bar', '> *Foo*\n> \n> bar'],
    ['- one\n- two', '- one\n- two'],
    ['* one\n* two', '- one\n- two'],
    ['3. one\n4. two', '3. one\n4. two'],
    ['- a\n  - b', '- a\n  - b'],
    ['- [x] foo\n- [ ] bar', '- ☑ foo\n- ☐ bar'],
    ['***', '———'],
    ['[link](/uri "title")', 'link (/uri)'],
    ['<https://foo.bar>', 'https://foo.bar'],
    ['<me@foo.bar>', 'me@foo.bar'],
    ['![alt](https://x.y/z.png)', 'alt (https://x.y/z.png)'],
    ['foo  \nbaz', 'foo\nbaz'],
    ['\\*not emphasized*', '*not emphasized*'],
    ['<b>bold</b>', '<b>bold</b>'],
    ['| a | bb |\n|---|---:|\n| **ccc** | d |', '```\na   | bb\n----+---\nccc |  d\n```'],
    ['[foo]: /url', '[foo]: /url'],
    ['[](https://x.y)', '[](https://x.y)'],
    ['AT&amp;T', 'AT&amp;T'],
  ])('shows %j', (source, text) => {
    expect(mark(source)).toBe(text);
  });

  it('marks code, small print and plain text', () => {
    const texts: PartText[] = [
      { kind: 'code', text: 'a < b', language: 'c++' },
      { kind: 'status', text: 'done & over' },
      { kind: 'text', text: '*as it is*' },
    ];
    expect(markUp(texts)).toBe('```\na < b\n```\n\n_done & over_\n\n*as it is*');
  });

  it('of deep nesting ends', () => {
    for (const source of ['> '.repeat(2_000), '['.repeat(5_000), '- '.repeat(500), '**a'.repeat(2_000)])
      expect(typeof mark(source)).toBe('string');
  });
});
