import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Piece } from './agent-runtime.js';
import { BlockAssembler } from './block-assembler.js';

interface Block {
  type: string;
  content: string;
  language?: unknown;
}

/** Feeds the portions and joins the pieces, as a reader of deltas does. */
function assemble(...portions: string[]): Block[] {
  const assembler = new BlockAssembler();
  const pieces: Piece[] = [...portions.flatMap((portion) => assembler.push(portion)), ...assembler.end()];
  const blocks: Block[] = [];
  let content = '';
  for (const piece of pieces) {
    content += piece.text;
    if (!piece.ends) continue;
    blocks.push({
      type: piece.blockType,
      content,
      ...(piece.metadata ? { language: piece.metadata['language'] } : {}),
    });
    content = '';
  }
  expect(content, 'every block that begins ends').toBe('');
  return blocks;
}

describe('the block assembler', () => {
  it('[A-09] makes a paragraph a text block, or markdown if it has markup', () => {
    expect(assemble('Plain.\n\nWith *emphasis*.\n\n- a\n- b\n')).toEqual([
      { type: 'text', content: 'Plain.' },
      { type: 'markdown', content: 'With *emphasis*.' },
      { type: 'markdown', content: '- a\n- b' },
    ]);
  });

  it('[A-09] makes a fence a code block with its language, blank lines and inner fences included', () => {
    expect(assemble('Look:\n````ts title\na\n\n```\nb\n````\nend')).toEqual([
      { type: 'text', content: 'Look:' },
      { type: 'code', content: 'a\n\n```\nb', language: 'ts' },
      { type: 'text', content: 'end' },
    ]);
  });

  it('[A-09] ends an unclosed fence at the end of the text', () => {
    expect(assemble('```\ncode\n')).toEqual([{ type: 'code', content: 'code', language: undefined }]);
  });

  it('[A-09] keeps the line breaks of a block and drops those between blocks', () => {
    expect(assemble('\n\na\r\nb\r\n\r\n\r\nc')).toEqual([
      { type: 'text', content: 'a\nb' },
      { type: 'text', content: 'c' },
    ]);
  });

  it('[A-09] never splits a fence, however long', () => {
    const line = 'x'.repeat(100);
    const blocks = assemble('```\n', ...Array.from({ length: 1_000 }, () => `${line}\n`), '```\n');
    expect(blocks).toHaveLength(1);
  });

  it('[A-09] continues a very long paragraph in a new block', () => {
    const blocks = assemble(...Array.from({ length: 1_000 }, () => `${'x'.repeat(100)}\n`));
    expect(blocks.length).toBeGreaterThan(1);
    expect(blocks.map((block) => block.content).join('\n')).toBe(
      Array.from({ length: 1_000 }, () => 'x'.repeat(100)).join('\n'),
    );
  });

  it('[A-09] shows a growing line at once, except one that may become a fence', () => {
    const assembler = new BlockAssembler();
    expect(assembler.push('Hel').map((piece) => piece.text)).toEqual(['Hel']);
    expect(assembler.push('lo\n``').map((piece) => piece.text)).toEqual(['lo']);
    expect(assembler.push('`js').map((piece) => piece.text)).toEqual([]);
  });

  it.each([
    ['three spaces', '1. Do:\n\n   ```py\n   if x:\n       y()\n   ```\n2. Then'],
    ['four spaces and an empty line', '1. Do:\n\n    ```py\n    if x:\n\n        y()\n    ```\n2. Then'],
    ['a tab', '1. Do:\n\t```py\n\tif x:\n\n\t    y()\n\t```\n2. Then'],
    ['no indentation', '1. Do:\n```py\nif x:\n\n    y()\n```\n2. Then'],
  ])('makes a fence in a list with %s a code block without the indentation of the list', (_, text) => {
    const blocks = assemble(text);
    expect(blocks.map(({ type }) => type)).toEqual(['markdown', 'code', 'markdown']);
    expect(blocks[1]?.content.replace('\n\n', '\n')).toBe('if x:\n    y()');
    expect([blocks[0]?.content, blocks[1]?.language, blocks[2]?.content]).toEqual(['1. Do:', 'py', '2. Then']);
  });

  it('makes a fence just after a list marker a code block', () => {
    expect(assemble('1. ```sh\n   ls\n   ```\n2. done\n')).toEqual([
      { type: 'markdown', content: '1.' },
      { type: 'code', content: 'ls', language: 'sh' },
      { type: 'markdown', content: '2. done' },
    ]);
  });

  it.each([
    '- a\n\n    - sub a\n\n    - sub b\n\n- b',
    '1. a\n\n   more of a\n\n2. b\n   - c\n\n     more of c',
    'These:\n* a\n* b\n\n* c',
  ])('makes a list with empty lines one block: %j', (text) => {
    expect(assemble(text)).toEqual([{ type: 'markdown', content: text }]);
  });

  it('ends a list at a paragraph after an empty line, and takes the indentation of what follows code in an item', () => {
    expect(assemble('- a\n\n  ```\n  x\n  ```\n\n  more\n\n  - sub\n    - sub sub\n\nEnd.')).toEqual([
      { type: 'markdown', content: '- a' },
      { type: 'code', content: 'x', language: undefined },
      { type: 'markdown', content: 'more\n\n- sub\n  - sub sub' },
      { type: 'text', content: 'End.' },
    ]);
    expect(assemble('Born in\n1986. Then\n\nnothing')).toHaveLength(2);
  });

  it.each([
    'See https://example.org/a for more.',
    'See www.example.org.',
    '<https://example.org>',
    'Write to ann@example.org.',
    'See [the docs][docs].\n[docs]: https://example.org',
    'a | b\n--- | ---\n1 | 2',
    'a\n:-: | -\n',
    'Title\n=====',
    'Title\n---',
    'a **bold\ntext** here',
    '2 \\* 3',
    'a<br>b',
    'a &amp; b',
    'a  \nb',
    'The area is $r^2$.',
    '$$\nx\n$$',
  ])('makes a paragraph with markup that is easily overlooked markdown: %j', (text) => {
    expect(assemble(text)).toMatchObject([{ type: 'markdown' }]);
  });

  it.each([
    '2 * 3 = 6',
    'a < b and c > d',
    'Cost: 5 | 6',
    'At 5:30, e.g. now (or later).',
    'AT&T',
    'me @ home',
    'a - b',
  ])('makes a paragraph without markup text: %j', (text) =>
    expect(assemble(text)).toEqual([{ type: 'text', content: text }]),
  );

  it.each(['*', '[', '<a', '@a', 'a@', '-\n', '| ', '\\', '&a', '`', '_a ', ' \t', '1. '])(
    'recognises markdown in linear time: many of %j',
    (part) => {
      const measure = (length: number) => {
        const text = `x${part.repeat(length / part.length)}`;
        const costs = Array.from({ length: 3 }, () => {
          const { user } = process.threadCpuUsage();
          assemble(text);
          return process.threadCpuUsage().user - user;
        });
        return Math.min(...costs);
      };
      // Eight times the text: 64 times the cost if it grew with the square. What costs less than 5 ms is not compared.
      expect(measure(32_000) / Math.max(measure(4_000), 5_000)).toBeLessThan(32);
    },
  );

  it('[A-09] makes the same blocks for any portions', () => {
    const token = fc.constantFrom(
      'a',
      'bc ',
      '\n',
      '\n\n',
      '`',
      '```',
      '~~~',
      '```ts\n',
      '*x*',
      '  ',
      '- ',
      '\r\n',
      '# ',
      '1. ',
      '\t',
      '    ',
      '\ud83d',
      '\ude00',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (tokens, size) => {
        const text = tokens.join('');
        const portions = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
        expect(assemble(...portions)).toEqual(assemble(text));
      }),
      { numRuns: 1_000 },
    );
  });
});
