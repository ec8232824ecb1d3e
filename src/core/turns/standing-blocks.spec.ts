import { describe, expect, it } from 'vitest';
import type { DurableFrame } from '../store/index.js';
import { findResumePoint, listStandingBlocks } from './standing-blocks.js';

function frame(seq: number, type: DurableFrame['type'], payload: object): DurableFrame {
  return {
    seq,
    type,
    sessionId: 's',
    messageRef: 'm',
    messageId: 'id',
    timestamp: 0,
    payload: JSON.stringify(payload),
  };
}
const block = (seq: number, content: string, index = seq - 1) =>
  frame(seq, 'stream_block', { block_id: `b${seq}`, block_type: 'text', content, index, attempt: 1 });
const contents = (frames: DurableFrame[]) => listStandingBlocks(frames).map((standing) => standing.block.content);

describe('the standing blocks', () => {
  it('[S-07] are those that no restart has replaced', () => {
    const restart = frame(4, 'stream_restart', { attempt: 2, replaces_from_seq: 2 });
    expect(contents([block(1, 'a'), block(2, 'b'), block(3, 'c'), restart, block(5, 'B', 1)])).toEqual(['a', 'B']);
  });

  it('[S-07] are those of recorded steps when a turn is resumed, the rest is replaced', () => {
    const frames = [block(1, 'a'), block(2, 'b'), block(3, 'c')];
    const steps = [{ step: 0, kind: 'answer', body: '{}', headSeq: 2 }] as const;
    const { blocks, replacesFromSeq } = findResumePoint({ frames, steps });
    expect(blocks.map((standing) => standing.content)).toEqual(['a', 'b']);
    expect(replacesFromSeq).toBe(3);
  });

  it('[S-07] need no restart when no step was half streamed', () => {
    const steps = [{ step: 0, kind: 'answer', body: '{}', headSeq: 1 }] as const;
    expect(findResumePoint({ frames: [block(1, 'a')], steps }).replacesFromSeq).toBeUndefined();
    expect(findResumePoint({ frames: [], steps: [] })).toEqual({ blocks: [], replacesFromSeq: undefined });
  });

  it('[S-07] exclude those of an attempt that was already replaced', () => {
    const restart = frame(3, 'stream_restart', { attempt: 2, replaces_from_seq: 1 });
    expect(
      findResumePoint({ frames: [block(1, 'a'), block(2, 'b'), restart], steps: [] }).replacesFromSeq,
    ).toBeUndefined();
  });
});
