import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { block } from '../../../test/support/generated-markdown.js';
import { markdown, RUNS, testMarkup, type Markup } from '../../../test/support/markup-suite.js';
import type { PartText } from '../../core/channels/driver.js';
import { markUp, MAX_LENGTH, measure } from './markup.js';

// From the CommonMark specification, and GitHub's tables.
const examples: Markup['examples'] = [
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
  ['- [x] a\n\n- [ ] b', '- ☑ a\n\n- ☐ b'],
  ['a***b c***', 'ab c'],
  ['[![alt](/a.png)](https://x.y)', 'alt (/a.png) (https://x.y)'],
  ['| a |\n|---|\n| [b](https://x.y) |', '```\na\n---------------\nb (https://x.y)\n```'],
];

/** Returns a text. Asserts that each fence is closed, and each mark on the line on which it is set, the inner one first. */
function read(text: string): string {
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
  return text;
}

/** Returns a text. Asserts that the letters of its source are shown; it need not be balanced, as no mark can be escaped. */
function readAny(marked: string, source = marked): string {
  // Not shown are definitions of links, the language of a fence, and the address of a link that is its text.
  if (/\]:|```|</.test(source)) return marked;
  const lettersOf = (text: string) => text.replaceAll(/[^aä👩]/gu, '');
  expect(lettersOf(marked), source).toBe(lettersOf(source));
  return marked;
}

describe('markup for WhatsApp', () => {
  testMarkup({ markUp, measure, limit: MAX_LENGTH, lengthOf: (text) => text.length, read, readAny, examples });

  it('is never measured as if it did fit where it does not', () => {
    fc.assert(
      fc.property(block, ({ source }) => {
        const { length } = markUp(markdown(source));
        expect(measure(markdown(source), length - 1)).toBeGreaterThanOrEqual(length);
      }),
      { numRuns: RUNS },
    );
  });

  it('marks code, small print and plain text', () => {
    const texts: PartText[] = [
      { kind: 'code', text: 'a < b', language: 'c++' },
      { kind: 'status', text: 'done & over' },
      { kind: 'text', text: '*as it is*' },
    ];
    expect(markUp(texts)).toBe('```\na < b\n```\n\n_done & over_\n\n*as it is*');
  });
});
