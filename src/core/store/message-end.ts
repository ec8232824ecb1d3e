import type { StreamBlock, StreamEndPayload } from '../../protocol/domain.js';
import type { NewFrame, Reply, StoredMessage } from './records.js';

/** The end of a message, without its blocks and its time. */
export type Ending = Omit<Reply, 'blocks' | 'endedAt'>;

/**
 * The end of a message, as the log stores it (`frame`) and as the history stores it (`reply`). Both are written in one
 * commit.
 */
export interface MessageEnd {
  readonly frame: NewFrame;
  readonly reply: Reply;
}

/**
 * Builds the end of a message. Every `stream_end` is built here, so that log and history never differ.
 * @param blocks the standing blocks of its reply
 * @param endedAt Unix milliseconds
 */
export function endOf(
  { messageRef, messageId }: Pick<StoredMessage, 'messageRef' | 'messageId'>,
  ending: Ending,
  blocks: readonly StreamBlock[],
  endedAt: number,
): MessageEnd {
  const { reason, usage, error, mergedInto } = ending;
  const payload: StreamEndPayload = {
    id: messageId,
    message_ref: messageRef,
    reason,
    blocks: blocks.length,
    ...(usage && { usage }),
    ...(error && { error }),
    ...(mergedInto !== undefined && { merged_into: mergedInto }),
  };
  return {
    frame: { type: 'stream_end', messageRef, messageId, timestamp: endedAt, payload: JSON.stringify(payload) },
    reply: { ...ending, blocks, endedAt },
  };
}
