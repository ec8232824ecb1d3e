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
