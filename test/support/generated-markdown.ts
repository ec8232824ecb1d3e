import fc from 'fast-check';
import { expect } from 'vitest';

/** A piece of Markdown with the words that people must see, in order. */
export interface Piece {
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
  (piece: Piece): Piece => ({
    source: `${before}${piece.source}${after}`,
    words: piece.words,
  });

/** Joins pieces with a separator. */
export const join =
  (separator: string) =>
  (pieces: readonly Piece[]): Piece => ({
    source: pieces.map(({ source }) => source).join(separator),
    words: pieces.flatMap(({ words }) => words),
  });

const escapePipes = (piece: Piece | undefined) => piece?.source.replaceAll('|', '\\|');

/** Inline Markdown, and blocks of it. */
export const { inline, block } = fc.letrec<{ inline: Piece; block: Piece }>((tie) => {
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

const line = fc.array(word, { minLength: 30, maxLength: 80 }).map(join(' '));

/** Code on the line of its marks: inline code, and the info string of a fence (CommonMark 4.5, 6.1). */
export const longCode = fc.oneof(
  line.map(around('```', '```')),
  line.map(around('```', '\n```')),
  line.map(around('~~~', '\n~~~')),
);

/** Asserts that a text has the words in their order. */
export function expectInOrder(text: string, words: readonly string[]): void {
  let at = 0;
  for (const one of words) {
    const found = text.indexOf(one, at);
    expect(found, `${one} in ${text}`).toBeGreaterThanOrEqual(0);
    at = found + one.length;
  }
}
