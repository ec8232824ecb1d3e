import type { StreamBlockPayload } from '../../protocol/domain.js';
import { endOf } from './message-end.js';
import type { MessageRuling, NewFrame, StoredMessage } from './records.js';
import type { Approval } from './approval.store.js';
import { ReplyBlocks } from './reply-blocks.js';

/** `done`: the decision stands now, or stood before. `other`: another decision stands. */
export type RulingOutcome = 'done' | 'other' | 'forbidden' | 'unknown';

/** Returns the reply to the sender of a decision; undefined if there is none, since the call itself shows the decision. */
function describe(outcome: RulingOutcome, approval: Approval | undefined): string | undefined {
  switch (outcome) {
    case 'done':
      return undefined;
    case 'other':
      return `It is too late: the decision was "${approval?.decision ?? 'expired'}".`;
    case 'forbidden':
      return 'Only the person who asked for it and admins may decide on this call.';
    case 'unknown':
      return 'There is no such call to decide on.';
  }
}

/** Builds the reply to a message that is a decision, with its end: both are written in the commit of the decision. */
export function replyToRuling(
  names: Pick<StoredMessage, 'messageRef' | 'messageId'>,
  outcome: RulingOutcome,
  approval: Approval | undefined,
  endedAt: number,
): { readonly frames: readonly NewFrame[]; readonly reply: string } {
  const { messageRef, messageId } = names;
  const content = describe(outcome, approval);
  const blocks = new ReplyBlocks();
  const frames: NewFrame[] = [];
  if (content !== undefined) {
    const block = { index: 0, block_id: 'b_0', block_type: 'status', content } as const;
    blocks.push(JSON.stringify(block));
    const payload: StreamBlockPayload = { message_id: messageId, message_ref: messageRef, attempt: 1, ...block };
    frames.push({ type: 'stream_block', messageRef, messageId, timestamp: endedAt, payload: JSON.stringify(payload) });
  }
  const { frame, reply } = endOf(names, { reason: 'stop' }, endedAt, blocks);
  return { frames: [...frames, frame], reply };
}

/** Returns whether the sender of a message may decide on a call: the person whose message runs, that of a direct chat, an admin. */
export function mayRule({ may }: MessageRuling, isDirect: boolean, isOwn: boolean): boolean {
  return may === 'always' || (may === 'own' && (isDirect || isOwn));
}
