import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDiscord } from '../../../test/support/discord-markdown.js';
import { cut } from '../../core/channels/cut.js';
import type { PartText } from '../../core/channels/driver.js';
import { markUp, measure } from './markup.js';

const RUNS = process.env['LONG'] ? 1_000 : 100;

const markdown = (text: string): PartText => ({ kind: 'markdown', text });
const toDiscord = (text: string) => markUp([markdown(text)]);

/** A piece of Markdown with the words that people must see, in order. */
interface Piece {
  readonly source: string;
  readonly words: readonly string[];
}

const DEPTH = fc.createDepthIdentifier();
let count = 0;
const word = fc
  .constantFrom('alpha', 'be & be', 'a<b>', '"q"', 'naïve', '日本', '👩‍👩‍👧', 'x_y_z', '5 > 4', '||no||', '<@1>')
  .map((text): Piece => {
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

const escapePipes = (piece: Piece | undefined) => piece?.source.replaceAll('|', '\\|');

const { inline, block } = fc.letrec<{ inline: Piece; block: Piece }>((tie) => {
  const some = fc.array(tie('inline'), { minLength: 1, maxLength: 3 }).map(join(' '));
  const blocks = fc.array(tie('block'), { minLength: 1, maxLength: 3 }).map(join('\n\n'));
  const prefixed = (first: string, rest: string) => (piece: Piece) => ({
    source: piece.source
      .split('\n')
      .map((line, n) => (n === 0 ? first : rest) + line)
      .join('\n'),
    words: piece.words,
  });
  return {
    inline: fc.oneof(
      { maxDepth: 2, depthIdentifier: DEPTH },
      word,
      some.map(around('**', '**')),
      some.map(around('*', '*')),
      word.map(around('~~', '~~')),
      word.map(around('`', '`')),
      some.map(around('[', '](https://example.com/?a=1&b="2")')),
      some.map(around('![', '](javascript:alert)')),
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
        source: `| A | B |\n|---|--:|\n| ${escapePipes(a)} | ${escapePipes(b)} |`,
        words: [...(a?.words ?? []), ...(b?.words ?? [])],
      })),
    ),
  };
});

function expectBalanced(marked: string): string {
  const parsed = parseDiscord(marked);
  expect(parsed, marked).not.toHaveProperty('fault');
  return 'text' in parsed ? parsed.text : '';
}

function expectInOrder(text: string, words: readonly string[]): void {
  let at = 0;
  for (const one of words) {
    const found = text.indexOf(one, at);
    expect(found, `${one} in ${text}`).toBeGreaterThanOrEqual(0);
    at = found + one.length;
  }
}

describe('markup for Discord', () => {
  it('of generated texts is balanced and preserves the text', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }).map(join('\n\n')), ({ source, words }) => {
        expectInOrder(expectBalanced(toDiscord(source)), words);
      }),
      { numRuns: RUNS },
    );
  });

  it('of texts of arbitrary characters is balanced', () => {
    const character = fc.constantFrom(...'*_~`[]()<>&"!|#-+.:\n 1aä\\'.split(''), '👩‍👩‍👧', '```\n', '> ', '](http://x)');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 200 }), (source) => {
        expectBalanced(toDiscord(source));
      }),
      { numRuns: RUNS },
    );
  });

  it('of text without Markdown shows it as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'*_~`[]()<@>|#-+. 1a\\\n'.split('')), maxLength: 100 }),
        (text) => {
          expect(expectBalanced(markUp([{ kind: 'text', text }]))).toBe(text);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('of the parts of a long text keeps the limit of Discord', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(block, inline), { minLength: 20, maxLength: 60 }).map(join('\n\n')),
        ({ source, words }) => {
          const parts = cut([markdown(source)], 400, measure).map(markUp);
          for (const text of parts) expect(text.length).toBeLessThanOrEqual(400);
          expectInOrder(parts.map(expectBalanced).join('\n'), words);
        },
      ),
      { numRuns: RUNS / 10 },
    );
  });

  // From the CommonMark specification, and GitHub's tables.
  it.each([
    ['# foo', '# foo'],
    ['foo\n===', '# foo'],
    ['#### foo', '**foo**'],
    ['*foo bar*', '*foo bar*'],
    ['_foo bar_', '*foo bar*'],
    ['__foo__', '**foo**'],
    ['***strong emph***', '_**strong emph**_'],
    ['***strong** emph*', '_**strong** emph_'],
    ['a * foo bar*', 'a \\* foo bar\\*'],
    ['snake_case_name', 'snake\\_case\\_name'],
    ['~~Hi~~ Hello', '~~Hi~~ Hello'],
    ['||spoiler||', '\\|\\|spoiler\\|\\|'],
    ['`foo`', '`foo`'],
    ['`` foo ` bar ``', '`` foo ` bar ``'],
    ['```ruby\ndef foo\n```', '```ruby\ndef foo\n```'],
    ['    a simple\n      indented code block', '```\na simple\n  indented code block\n```'],
    ['````\n```\n````', '```\n`\u200B`\u200B`\n```'],
    ['> # Foo\n> bar', '> # Foo\n> \n> bar'],
    ['> a\n> > b', '> a\n> \n> › b'],
    ['* one\n* two', '- one\n- two'],
    ['3. one\n4. two', '3. one\n4. two'],
    ['- a\n  - b', '- a\n  - b'],
    ['1. a\n   ```\n   b\n   ```', '1. a\n   ```\n   b\n   ```'],
    ['- [x] foo\n- [ ] bar', '- ☑ foo\n- ☐ bar'],
    ['***', '———'],
    ['[link](/uri "title")', 'link (/uri)'],
    ['[link](https://example.com/a_(b)?c)', '[link](https://example.com/a_%28b%29?c)'],
    ['[x](javascript:alert(1))', 'x (javascript:alert(1))'],
    ['<https://foo.bar/_a_>', 'https://foo.bar/_a%5F'],
    ['https://foo.bar/a_b_c', 'https://foo.bar/a_b_c'],
    ['![alt](https://x.y/z.png)', '[alt](https://x.y/z.png)'],
    ['foo  \nbaz', 'foo\nbaz'],
    ['\\*not emphasized*', '\\*not emphasized\\*'],
    ['1986\\. A great year', '1986\\. A great year'],
    ['\\> no quote', '\\> no quote'],
    ['<b>bold</b>', '\\<b>bold\\</b>'],
    ['<@123456789012345678>', '\\<@123456789012345678>'],
    ['| a | bb |\n|---|---:|\n| *ccc* | d |', '```\na   | bb\n----+---\nccc |  d\n```'],
    ['[foo]: /url', '\\[foo\\]: /url'],
  ])('shows %j', (source, marked) => {
    expect(toDiscord(source)).toBe(marked);
    expectBalanced(marked);
  });

  it('marks code, small print and plain text', () => {
    const texts: PartText[] = [
      { kind: 'code', text: 'a < b', language: 'c++ "x"' },
      { kind: 'status', text: 'done & over\nnow' },
      { kind: 'text', text: '*as it is*' },
    ];
    expect(markUp(texts)).toBe('```c++\na < b\n```\n\n-# done & over\n-# now\n\n\\*as it is\\*');
    expect(measure(texts)).toBeGreaterThanOrEqual(markUp(texts).length);
  });

  it('of deep nesting ends', () => {
    for (const source of ['> '.repeat(2_000), '['.repeat(5_000), '- '.repeat(500), '**a'.repeat(2_000)])
      expectBalanced(toDiscord(source));
  });
});
