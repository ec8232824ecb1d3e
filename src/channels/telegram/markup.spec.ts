import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { block, expectInOrder, inline, join } from '../../../test/support/generated-markdown.js';
import { parseHtml } from '../../../test/support/telegram-html.js';
import { cut } from '../../core/channels/cut.js';
import type { PartText } from '../../core/channels/driver.js';
import { markUp, measure, toVisibleText } from './markup.js';

const markdown = (text: string): PartText => ({ kind: 'markdown', text });
const toHtml = (text: string) => markUp([markdown(text)]).html;

function expectBalanced(html: string): string {
  const parsed = parseHtml(html);
  expect(parsed, html).not.toHaveProperty('fault');
  return 'text' in parsed ? parsed.text : '';
}

describe('markup for Telegram', () => {
  it('of a thousand generated texts is balanced and preserves the text', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }).map(join('\n\n')), ({ source, words }) => {
        const { html, length } = markUp([markdown(source)]);
        const text = expectBalanced(html);
        expect(text).toBe(toVisibleText(html));
        expect(length).toBe(text.length);
        expectInOrder(text, words);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of a thousand texts of arbitrary characters is balanced', () => {
    const character = fc.constantFrom(...'*_~`[]()<>&"!|#-+.:\n 1aä\\'.split(''), '👩‍👩‍👧', '```\n', '> ', '](http://x)');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 200 }), (source) => {
        expectBalanced(toHtml(source));
      }),
      { numRuns: 1_000 },
    );
  });

  it('of the parts of a long text keeps the limit of Telegram', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(block, inline), { minLength: 20, maxLength: 60 }).map(join('\n\n')),
        ({ source, words }) => {
          const parts = cut([markdown(source)], 400, measure);
          const shown = parts.map((texts) => expectBalanced(markUp(texts).html));
          for (const text of shown) expect(text.length).toBeLessThanOrEqual(400);
          expectInOrder(shown.join('\n'), words);
        },
      ),
      { numRuns: 50 },
    );
  });

  // From the CommonMark specification, and GitHub's tables.
  it.each([
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
  ])('shows %j', (source, html) => {
    expect(toHtml(source)).toBe(html);
    expectBalanced(html);
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

  it('of deep nesting ends', () => {
    for (const source of ['> '.repeat(2_000), '['.repeat(5_000), '- '.repeat(500), '**a'.repeat(2_000)])
      expectBalanced(toHtml(source));
  });
});
