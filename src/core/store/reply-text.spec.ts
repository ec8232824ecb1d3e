import { expect, it, vi } from 'vitest';
import type { StreamBlock } from '../../protocol/domain.js';
import { encodeAhead, encodeReply } from './reply-text.js';

const aBlock = (n: number): StreamBlock => ({ block_id: `b_${n}`, block_type: 'text', content: `"block" ${n}` });
const replyOf = (blocks: readonly StreamBlock[]) => ({ reason: 'stop', blocks, endedAt: 7 }) as const;

it.each([0, 1, 3])('a reply of %d blocks is the JSON that it stands for, however much was encoded ahead', (count) => {
  const blocks = Array.from({ length: count }, (_, n) => aBlock(n));
  expect(JSON.parse(encodeReply(replyOf(blocks)))).toEqual(replyOf(blocks));
  encodeAhead(blocks);
  expect(JSON.parse(encodeReply(replyOf(blocks)))).toEqual(replyOf(blocks));
  encodeAhead(blocks);
  blocks.push(aBlock(count));
  expect(JSON.parse(encodeReply(replyOf(blocks)))).toEqual(replyOf(blocks));
});

it('blocks that were taken back and replaced are encoded again', () => {
  const blocks = [aBlock(1), aBlock(2), aBlock(3)];
  encodeAhead(blocks);
  blocks.length = 1;
  expect(JSON.parse(encodeReply(replyOf(blocks)))).toEqual(replyOf(blocks));
  blocks.push(aBlock(4), aBlock(5), aBlock(6));
  encodeAhead(blocks);
  blocks.push(aBlock(7));
  expect(JSON.parse(encodeReply(replyOf(blocks)))).toEqual(replyOf(blocks));
});

it('the end of a reply encodes only what was not encoded ahead', () => {
  const blocks = Array.from({ length: 100 }, (_, n) => aBlock(n));
  encodeAhead(blocks);
  blocks.push(aBlock(100));
  const stringify = vi.spyOn(JSON, 'stringify');
  encodeReply(replyOf(blocks));
  expect(stringify.mock.calls.map(([value]) => value as unknown)).toContainEqual([aBlock(100)]);
  stringify.mockRestore();
});
