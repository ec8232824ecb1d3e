import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { block, expectInOrder, inline, join } from '../../../test/support/generated-markdown.js';
import { cut } from '../../core/channels/cut.js';
import type { PartText } from '../../core/channels/driver.js';
import { markUp, MAX_LENGTH, measure } from './markup.js';

/** The number of generated texts; `npm run test:long` raises it. */
const RUNS = process.env['LONG'] ? 1_000 : 200;

const markdown = (text: string): PartText => ({ kind: 'markdown', text });
const mark = (text: string) => markUp([markdown(text)]);

const TOKEN = /<((?:https?:\/\/|mailto:|tel:)[^<>|\s]*)(?:\|([^<>]*))?>/g;

/** Returns what people see, with marks. Asserts that Slack reads nothing else into the text. */
function expectBalanced(marked: string): string {
  expect(marked.match(/^```$/gm)?.length ?? 0, marked).toBe((marked.match(/```/g) ?? []).length);
  expect((marked.match(/```/g) ?? []).length % 2, marked).toBe(0);
  const withoutTokens = marked.replaceAll(TOKEN, (_, url: string, words?: string) => words ?? url);
  const withoutQuotes = withoutTokens.replaceAll(/^(?: {4})*(?:(?:• |☐ |☑ |\d+\. )*(?:> )+)+/gm, '');
  expect(withoutQuotes).not.toMatch(/[<>]/);
  expect(withoutQuotes).not.toMatch(/&(?!amp;|lt;|gt;)/);
  return withoutTokens.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

describe('markup for Slack', () => {
  it(`of ${RUNS} generated texts is balanced and preserves the text`, () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }).map(join('\n\n')), ({ source, words }) => {
        expectInOrder(expectBalanced(mark(source)), words);
      }),
      { numRuns: RUNS },
    );
  });

  it(`of ${RUNS} texts of arbitrary characters is balanced`, () => {
    const character = fc.constantFrom(
      ...'*_~`[]()<>&"!|#-+.:\n 1aä\\@'.split(''),
      '👩‍👩‍👧',
      '```\n',
      '> ',
      '](http://x)',
      '<!channel>',
    );
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 200 }), (source) => {
        expectBalanced(mark(source));
      }),
      { numRuns: RUNS },
    );
  });

  it('of the parts of a long text keeps the limit of Slack, in bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(block, inline), { minLength: 40, maxLength: 120 }).map(join('\n\n')),
        ({ source, words }) => {
          const shown = cut([markdown(source)], MAX_LENGTH, measure).map(markUp);
          for (const text of shown) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_LENGTH);
          expectInOrder(shown.map(expectBalanced).join('\n'), words);
        },
      ),
      { numRuns: RUNS / 20 },
    );
  });

  it('cuts what is short in characters and long in bytes', () => {
    const parts = cut([markdown(`<&>${'日本語 '.repeat(2_000)}`)], MAX_LENGTH, measure);
    for (const part of parts) expect(Buffer.byteLength(markUp(part))).toBeLessThanOrEqual(MAX_LENGTH);
    expect(
      parts
        .flat()
        .map(({ text }) => text)
        .join('')
        .replaceAll(/\s/g, '').length,
    ).toBe(6_003);
  });

  // From the CommonMark specification, and GitHub's tables.
  it.each([
    ['# foo', '*foo*'],
    ['## foo **bar**', '*foo bar*'],
    ['*foo bar*', '_foo bar_'],
    ['**foo**', '*foo*'],
    ['***strong emph***', '_*strong emph*_'],
    ['**two\nlines**', '*two*\n*lines*'],
    ['foo**bar**baz', 'foobarbaz'],
    ['a * foo bar*', 'a * foo bar*'],
    ['~~Hi~~ Hello', '~Hi~ Hello'],
    ['`foo`', '`foo`'],
    ['`` foo ` bar ``', 'foo ` bar'],
    ['`<a>&`', '`&lt;a&gt;&amp;`'],
    ['```ruby\ndef foo\n```', '```\ndef foo\n```'],
    ['~~~\n```\n~~~', '```\n`\u200B``\n```'],
    ['    a simple\n      indented code block', '```\na simple\n  indented code block\n```'],
    ['> # Foo\n> bar `baz`', '> *Foo*\n> \n> bar `baz`'],
    ['> a\n> > b', '> a\n> \n> b'],
    ['- one\n- two', '• one\n• two'],
    ['3. one\n4. two', '3. one\n4. two'],
    ['- a\n  - b', '• a\n    • b'],
    ['- [x] foo\n- [ ] bar', '☑ foo\n☐ bar'],
    ['***', '———'],
    ['[link](/uri "title")', 'link (/uri)'],
    ['[**link**](https://example.com/?a&b)', '<https://example.com/?a&amp;b|link>'],
    ['**[link](https://x.y)**', '*<https://x.y|link>*'],
    ['[x](javascript:alert(1))', 'x (javascript:alert(1))'],
    ['[a](https://x.y/a|b)', '<https://x.y/a%7Cb|a>'],
    ['<https://foo.bar>', '<https://foo.bar>'],
    ['![alt](https://x.y/z.png)', '<https://x.y/z.png|alt>'],
    ['foo  \nbaz', 'foo\nbaz'],
    ['\\*not emphasized*', '*not emphasized*'],
    ['<b>bold</b>', '&lt;b&gt;bold&lt;/b&gt;'],
    ['<!channel> <@U0ANN0001> <!here|x>', '&lt;!channel&gt; &lt;@U0ANN0001&gt; &lt;!here|x&gt;'],
    ['a \\ b', 'a \\ b'],
    ['\\`\\`\\`', '`\u200B``'],
    ['- ```\n  x\n  ```', '• \n```\nx\n```'],
    ['| A | bb |\n|---|---:|\n| **ccc** | d |', '```\nA   | bb\n----+---\nccc |  d\n```'],
    ['[foo]: /url', '[foo]: /url'],
    ['[](https://x.y)', '[](https://x.y)'],
  ])('shows %j', (source, marked) => {
    expect(mark(source)).toBe(marked);
    expectBalanced(marked);
  });

  it('marks code, small print and plain text', () => {
    const texts: PartText[] = [
      { kind: 'code', text: 'a < b', language: 'c++ "x"' },
      { kind: 'status', text: 'done & over' },
      { kind: 'text', text: '*as it is*' },
    ];
    expect(markUp(texts)).toBe('```\na &lt; b\n```\n\n_done &amp; over_\n\n*as it is*');
  });

  it('of deep nesting ends', () => {
    for (const source of ['> '.repeat(2_000), '['.repeat(5_000), '- '.repeat(500), '**a'.repeat(2_000)])
      expectBalanced(mark(source));
  });
});
