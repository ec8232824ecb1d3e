import { expect, it } from 'vitest';
import type { StreamBlock } from '../../protocol/domain.js';
import { ReplyBlocks } from './reply-blocks.js';

const aBlock = (n: number): StreamBlock => ({ block_id: `b_${n}`, block_type: 'text', content: `"block" ${n}` });
const someBlocks = (count: number) => Array.from({ length: count }, (_, n) => aBlock(n));
const read = (blocks: ReplyBlocks) => JSON.parse(blocks.toJson()) as unknown;

it.each([0, 1, 256, 600])('the JSON of %d blocks is that of their list', (count) => {
  const blocks = new ReplyBlocks(someBlocks(count));
  expect(blocks).toHaveLength(count);
  expect(read(blocks)).toEqual(someBlocks(count));
  blocks.push(JSON.stringify(aBlock(count)));
  expect(read(blocks)).toEqual(someBlocks(count + 1));
});

it.each([0, 1, 300])('taking back %d blocks leaves those before the mark', (count) => {
  const blocks = new ReplyBlocks(someBlocks(3));
  blocks.mark();
  for (const block of someBlocks(count)) blocks.push(JSON.stringify(block));
  blocks.takeBack();
  expect(blocks).toHaveLength(3);
  blocks.push(JSON.stringify(aBlock(3)));
  expect(read(blocks)).toEqual(someBlocks(4));
});
