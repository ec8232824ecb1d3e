import { expect, it } from 'vitest';
import type { StreamBlock } from '../../protocol/domain.js';
import { MAX_KEPT_LENGTH, ReplyBlocks } from './reply-blocks.js';

const aBlock = (n: number): StreamBlock => ({ block_id: `b_${n}`, block_type: 'text', content: `"block" ${n}` });
const someBlocks = (count: number) => Array.from({ length: count }, (_, n) => aBlock(n));
const read = (blocks: ReplyBlocks) => JSON.parse(blocks.toJson() ?? 'null') as unknown;

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

it('long blocks are counted and not kept', () => {
  const half = JSON.stringify({ ...aBlock(0), content: 'x'.repeat(MAX_KEPT_LENGTH / 2) });
  const blocks = new ReplyBlocks();
  blocks.push(half);
  blocks.mark();
  expect(read(blocks)).toHaveLength(1);
  blocks.push(half);
  expect(blocks).toHaveLength(2);
  expect(blocks.toJson()).toBeUndefined();
  blocks.takeBack();
  expect(blocks).toHaveLength(1);
  expect(blocks.toJson()).toBeUndefined();
});

it('blocks that were taken back do not count for the length of those that are kept', () => {
  const blocks = new ReplyBlocks();
  blocks.mark();
  const half = JSON.stringify({ ...aBlock(0), content: 'x'.repeat(MAX_KEPT_LENGTH / 2) });
  for (let n = 0; n < 3; n++) {
    blocks.push(half);
    blocks.takeBack();
  }
  expect(read(blocks)).toEqual([]);
});
