import type { StreamBlock } from '../../protocol/domain.js';
import { beginReply, takeFrame, type ReplyFrame, type StandingBlock } from '../../protocol/reply-state.js';
import type { DurableFrame, TurnRecord } from '../store/index.js';

/** Returns the blocks of a message that no `stream_restart` has replaced. `frames` are all frames of the message, in order. */
export function listStandingBlocks(frames: readonly DurableFrame[]): readonly StandingBlock[] {
  return frames.reduce((reply, { type, seq, payload }) => {
    return takeFrame(reply, { type, seq, payload: JSON.parse(payload) as unknown } as ReplyFrame, false);
  }, beginReply()).standing;
}

/**
 * Finds where an interrupted turn continues. The blocks of recorded steps stand. Blocks after the last recorded step are
 * replaced, from `replacesFromSeq` on (undefined when there are none).
 */
export function findResumePoint(record: TurnRecord): {
  readonly blocks: readonly StreamBlock[];
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
