import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDiscord } from '../../../test/support/discord-markdown.js';
import { RUNS, testMarkup, type Markup } from '../../../test/support/markup-suite.js';
import type { PartText } from '../../core/channels/driver.js';
import { markUp, measure } from './markup.js';

// From the CommonMark specification, and GitHub's tables.
const examples: Markup['examples'] = [
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
  ['- [x] a\n\n- [ ] b', '- ☑ a\n\n- ☐ b'],
  ['# foo **bar**', '# foo bar'],
  ['<me@foo.bar>', 'me@foo.bar'],
  ['[![alt](/a.png)](https://x.y)', '[alt (/a.png)](https://x.y)'],
  ['| a |\n|---|\n| [b_c](https://x.y) |', '```\na\n-----------------\nb_c (https://x.y)\n```'],
];

function read(marked: string): string {
  const parsed = parseDiscord(marked);
  expect(parsed, marked).not.toHaveProperty('fault');
  return 'text' in parsed ? parsed.text : '';
}

describe('markup for Discord', () => {
  testMarkup({ markUp, measure, limit: 400, lengthOf: (marked) => marked.length, read, examples });

  it('of text without Markdown shows it as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'*_~`[]()<@>|#-+. 1a\\\n'.split('')), maxLength: 100 }),
        (text) => {
          expect(read(markUp([{ kind: 'text', text }]))).toBe(text);
        },
      ),
      { numRuns: RUNS },
    );
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
});
