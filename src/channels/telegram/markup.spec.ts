import { describe, expect, it } from 'vitest';
import { testMarkup, type Markup } from '../../../test/support/markup-suite.js';
import { parseHtml } from '../../../test/support/telegram-html.js';
import type { PartText } from '../../core/channels/driver.js';
import { markUp, measure, toVisibleText } from './markup.js';

// From the CommonMark specification, and GitHub's tables.
const examples: Markup['examples'] = [
  ['# foo', '<b>foo</b>'],
  ['*foo bar*', '<i>foo bar</i>'],
  ['**foo**', '<b>foo</b>'],
  ['***strong emph***', '<i><b>strong emph</b></i>'],
  ['a * foo bar*', 'a * foo bar*'],
  ['~~Hi~~ Hello', '<s>Hi</s> Hello'],
  ['`foo`', '<code>foo</code>'],
  ['`` foo ` bar ``', '<code>foo ` bar</code>'],
  ['`<a>&`', '<code>&lt;a&gt;&amp;</code>'],
  ['```ruby\ndef foo\n```', '<pre><code class="language-ruby">def foo</code></pre>'],
  ['    a simple\n      indented code block', '<pre>a simple\n  indented code block</pre>'],
  ['> # Foo\n> bar', '<blockquote><b>Foo</b>\n\nbar</blockquote>'],
  ['> a\n> > b', '<blockquote>a\n\n› b</blockquote>'],
  ['- one\n- two', '• one\n• two'],
  ['3. one\n4. two', '3. one\n4. two'],
  ['- a\n  - b', '• a\n  • b'],
  ['- [x] foo\n- [ ] bar', '☑ foo\n☐ bar'],
  ['***', '———'],
  ['[link](/uri "title")', 'link (/uri)'],
  ['[link](https://example.com/?a&b)', '<a href="https://example.com/?a&amp;b">link</a>'],
  ['[x](javascript:alert(1))', 'x (javascript:alert(1))'],
  ['<https://foo.bar>', '<a href="https://foo.bar">https://foo.bar</a>'],
  ['![alt](https://x.y/z.png)', '<a href="https://x.y/z.png">alt</a>'],
  ['foo  \nbaz', 'foo\nbaz'],
  ['\\*not emphasized*', '*not emphasized*'],
  ['<b>bold</b>', '&lt;b&gt;bold&lt;/b&gt;'],
  ['| a | bb |\n|---|---:|\n| ccc | d |', '<pre>a   | bb\n----+---\nccc |  d</pre>'],
  ['[foo]: /url', '[foo]: /url'],
  ['[](https://x.y)', '[](https://x.y)'],
  ['- [x] a\n\n- [ ] b', '☑ a\n\n☐ b'],
  ['[![alt](/a.png)](https://x.y)', '<a href="https://x.y">alt (/a.png)</a>'],
  ['| a |\n|---|\n| [b](https://x.y/?c&d) |', '<pre>a\n--------------------\nb (https://x.y/?c&amp;d)</pre>'],
];

function read(html: string): string {
  const parsed = parseHtml(html);
  expect(parsed, html).not.toHaveProperty('fault');
  const text = 'text' in parsed ? parsed.text : '';
  expect(text).toBe(toVisibleText(html));
  return text;
}

function toHtml(texts: readonly PartText[]): string {
  const { html, length } = markUp(texts);
  expect(length).toBe(read(html).length);
  return html;
}

describe('markup for Telegram', () => {
  testMarkup({ markUp: toHtml, measure, limit: 400, lengthOf: (html) => read(html).length, read, examples });

  it.each([
    [13, '<s>b <i>a b a b a b a b a b a b end</i></s>'],
    [14, '<i>a <s>b a b a b a b a b a b a ~~b end~~</s></i>'],
  ])('shows what is nested %i deep: the 14th mark within others as it was written', (depth, html) => {
    let text = 'end';
    for (let mark = 0; mark < depth; mark++) text = mark % 2 === 0 ? `~~b ${text}~~` : `*a ${text}*`;
    expect(toHtml([{ kind: 'markdown', text }])).toBe(html);
  });

  it('marks code, small print and plain text', () => {
    const texts: PartText[] = [
      { kind: 'code', text: 'a < b', language: 'c++ "x"' },
      { kind: 'status', text: 'done & over' },
      { kind: 'text', text: '*as it is*' },
    ];
    expect(markUp(texts).html).toBe(
      '<pre><code class="language-c++">a &lt; b</code></pre>\n\n<i>done &amp; over</i>\n\n*as it is*',
    );
  });
});
