import type { StreamEndPayload } from '../../protocol/domain.js';
import type { NewFrame, Reply, StoredMessage, TurnEnd } from './records.js';
import { addBlocks, ReplyBlocks } from './reply-blocks.js';

/** The end of a message, without its blocks and its time. */
export type Ending = Omit<Reply, 'blocks' | 'endedAt'>;

/**
 * The end of a message, as the log stores it (`frame`) and as the history stores it (`reply`). Both are written in one
 * commit.
 */
export interface MessageEnd extends Pick<TurnEnd, 'reply' | 'loggedBlocks'> {
  readonly frame: NewFrame;
}

/**
 * Builds the end of a message. Every `stream_end` is built here, so that log and history never differ.
 * @param endedAt Unix milliseconds
 * @param blocks the standing blocks of its reply; none by default
 */
export function endOf(
  { messageRef, messageId }: Pick<StoredMessage, 'messageRef' | 'messageId'>,
  ending: Ending,
  endedAt: number,
  blocks = new ReplyBlocks(),
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
  const rest = JSON.stringify({ ...ending, endedAt } satisfies Omit<Reply, 'blocks'>);
  const list = blocks.toJson();
  return {
    frame: { type: 'stream_end', messageRef, messageId, timestamp: endedAt, payload: JSON.stringify(payload) },
    ...(list === undefined ? { reply: rest, loggedBlocks: blocks.length } : { reply: addBlocks(rest, list) }),
  };
}
