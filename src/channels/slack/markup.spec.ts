import { describe, expect, it } from 'vitest';
import { markdown, testMarkup, type Markup } from '../../../test/support/markup-suite.js';
import { cut } from '../../core/channels/outbound/cut.js';
import type { PartText } from '../../core/channels/driver.js';
import { markUp, MAX_LENGTH, measure } from './markup.js';

// From the CommonMark specification, and GitHub's tables.
const examples: Markup['examples'] = [
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
  ['- [x] a\n\n- [ ] b', '☑ a\n\n☐ b'],
  ['[![alt](/a.png)](https://x.y)', '<https://x.y|alt (/a.png)>'],
  ['| a |\n|---|\n| [b](https://x.y/?c&d) |', '```\na\n--------------------\nb (https://x.y/?c&amp;d)\n```'],
  ['>', '&gt;'],
];

const TOKEN = /<((?:https?:\/\/|mailto:|tel:)[^<>|\s]*)(?:\|([^<>]*))?>/g;

/** Returns what people see, with marks. Asserts that Slack reads nothing else into the text. */
function read(marked: string): string {
  expect(marked.match(/^```$/gm)?.length ?? 0, marked).toBe((marked.match(/```/g) ?? []).length);
  expect((marked.match(/```/g) ?? []).length % 2, marked).toBe(0);
  const withoutTokens = marked.replaceAll(TOKEN, (_, url: string, words?: string) => words ?? url);
  const withoutQuotes = withoutTokens.replaceAll(/^(?: {4})*(?:(?:• |☐ |☑ |\d+\. )*(?:> )+)+/gm, '');
  expect(withoutQuotes).not.toMatch(/[<>]/);
  expect(withoutQuotes).not.toMatch(/&(?!amp;|lt;|gt;)/);
  return withoutTokens.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

describe('markup for Slack', () => {
  testMarkup({ markUp, measure, limit: MAX_LENGTH, lengthOf: Buffer.byteLength, read, examples });

  it('cuts what is short in characters and long in bytes', () => {
    const parts = cut(markdown(`<&>${'日本語 '.repeat(2_000)}`), MAX_LENGTH, measure);
    for (const part of parts) expect(Buffer.byteLength(markUp(part))).toBeLessThanOrEqual(MAX_LENGTH);
    expect(
      parts
        .flat()
        .map(({ text }) => text)
        .join('')
        .replaceAll(/\s/g, '').length,
    ).toBe(6_003);
  });

  it('marks code, small print and plain text', () => {
    const texts: PartText[] = [
      { kind: 'code', text: 'a < b', language: 'c++ "x"' },
      { kind: 'status', text: 'done & over' },
      { kind: 'text', text: '*as it is*' },
    ];
    expect(markUp(texts)).toBe('```\na &lt; b\n```\n\n_done &amp; over_\n\n*as it is*');
  });
});
