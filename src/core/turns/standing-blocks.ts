import type { StreamBlock, StreamBlockPayload, StreamRestartPayload } from '../../protocol/index.js';
import type { DurableFrame, TurnRecord } from '../store/index.js';

/** A block in the log that nothing has superseded. */
export interface StandingBlock {
  readonly seq: number;
  readonly block: StreamBlock;
}

/** The blocks of one message that stand: those that no `stream_restart` has replaced. `frames` are all of the message's, in order. */
export function listStandingBlocks(frames: readonly DurableFrame[]): StandingBlock[] {
  let standing: StandingBlock[] = [];
  for (const frame of frames) {
    if (frame.type === 'stream_block') {
      const { block_id, block_type, content, metadata } = JSON.parse(frame.payload) as StreamBlockPayload;
      standing.push({ seq: frame.seq, block: { block_id, block_type, content, ...(metadata ? { metadata } : {}) } });
    } else if (frame.type === 'stream_restart') {
      const { replaces_from_seq: from } = JSON.parse(frame.payload) as StreamRestartPayload;
      standing = standing.filter((entry) => entry.seq < from);
    }
  }
  return standing;
}

/**
 * Where a turn that was interrupted goes on: the blocks of recorded steps stand, those after the last recorded step
 * belong to a half-streamed one and are replaced from `replacesFromSeq` on (undefined: there are none).
 */
export function findResumePoint(record: TurnRecord): {
  readonly blocks: StreamBlock[];
  readonly replacesFromSeq: number | undefined;
} {
  const recordedUpTo = record.steps.at(-1)?.headSeq ?? 0;
  const standing = listStandingBlocks(record.frames);
  const half = standing.find((entry) => entry.seq > recordedUpTo);
  return {
    blocks: standing.filter((entry) => entry.seq <= recordedUpTo).map((entry) => entry.block),
    replacesFromSeq: half?.seq,
  };
}
