import type { BotBounds } from './bot-bounds.js';
import type { Reading, ReadMessage, Update } from '../driver.js';

/** The state that a message depends on beside its update. */
export interface Circumstances {
  readonly bots: BotBounds;
  /** Returns the ref of a message that waits for its turn, by its ID. */
  findWaiting(messageId: string): string | undefined;
}

/**
 * Completes a reading by what is known at the time: an edit replaces a message that waits and is context otherwise; the
 * messages of a bot beyond its bounds are context, too. Returns the same object when nothing is added; another one must be
 * stored before it is submitted.
 */
export function complete(read: Reading, update: Update, known: Circumstances): Reading {
  if (read.kind !== 'message') return read;
  const reading = hasNothing(read.message) ? { ...read, message: { ...read.message, content: MENTION } } : read;
  const { message } = reading;
  const { change } = update;
  if (change) {
    const supersedes = known.findWaiting(change.messageId);
    const isDeletion = change.kind === 'deletion';
    const mark = isDeletion ? { deleted: true, deletes: change.messageId } : { edited: true, edits: change.messageId };
    const fate = {
      ...(supersedes !== undefined && { supersedes }),
      ...((isDeletion || supersedes === undefined) && { observe: true }),
    };
    return { ...reading, message: { ...message, ...fate, metadata: { ...message.metadata, ...mark } } };
  }
  return known.bots.admits(update, message) ? reading : { ...reading, message: { ...message, observe: true } };
}

/** The text of a message that only calls the agent, for example below the message of another person. */
const MENTION = '[mentioned without words]';

/** Returns whether a message has the mention of the agent and nothing else. */
function hasNothing({ content, attachments = [], is_direct_mention: isMention }: ReadMessage): boolean {
  return content === '' && attachments.length === 0 && isMention === true;
}

/** The reading of a deletion, for which a platform names the message alone. */
export const DELETED: Reading = { kind: 'message', message: { content: '[deleted]' } };
