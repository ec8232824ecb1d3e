import { describe, expect, it } from 'vitest';
import { endOf } from './message-end.js';
import { addBlocks, MAX_KEPT_LENGTH, ReplyBlocks } from './reply-blocks.js';

const message = { messageRef: 'm_1', messageId: 'id-1' };
const block = { block_id: 'b1', block_type: 'text', content: 'hello' } as const;

describe('endOf', () => {
  it('returns the frame and the reply of one end', () => {
    const usage = { input_tokens: 1, output_tokens: 2 };
    const { frame, reply } = endOf(message, { reason: 'stop', usage }, 7, new ReplyBlocks([block]));
    expect(JSON.parse(reply)).toEqual({ reason: 'stop', usage, blocks: [block], endedAt: 7 });
    expect(frame).toMatchObject({ type: 'stream_end', ...message, timestamp: 7 });
    const payload: unknown = JSON.parse(frame.payload);
    expect(payload).toEqual({ id: 'id-1', message_ref: 'm_1', reason: 'stop', blocks: 1, usage });
  });

  it('leaves out blocks that are too long to be kept, and returns their number', () => {
    const blocks = new ReplyBlocks([block, { ...block, content: 'x'.repeat(MAX_KEPT_LENGTH) }]);
    const { frame, reply, loggedBlocks } = endOf(message, { reason: 'stop' }, 7, blocks);
    expect(JSON.parse(reply)).toEqual({ reason: 'stop', endedAt: 7 });
    expect(loggedBlocks).toBe(2);
    expect(JSON.parse(frame.payload)).toMatchObject({ blocks: 2 });
    expect(JSON.parse(addBlocks(reply, JSON.stringify([block])))).toEqual({
      reason: 'stop',
      endedAt: 7,
      blocks: [block],
    });
  });

  it('names an error, and the target of a merged message, as on the wire', () => {
    const error = { code: 'AGENT_FAILED', message: 'no', retryable: false };
    expect(JSON.parse(endOf(message, { reason: 'error', error }, 7).frame.payload)).toEqual({
      id: 'id-1',
      message_ref: 'm_1',
      reason: 'error',
      blocks: 0,
      error,
    });
    const { frame, reply } = endOf(message, { reason: 'merged', mergedInto: 'm_0' }, 7);
    expect(JSON.parse(frame.payload)).toMatchObject({ reason: 'merged', merged_into: 'm_0' });
    expect(frame.payload).not.toContain('mergedInto');
    expect(JSON.parse(reply)).toMatchObject({ mergedInto: 'm_0', blocks: [] });
  });
});
