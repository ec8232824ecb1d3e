/** The parts of readings that all platforms share. */
import { cleanName } from './clean-name.js';
import { commandOf, type Reading, type ReadMessage } from './driver.js';

/** The note to a person whose message has nothing that can be read. */
export const UNREADABLE = 'I cannot read messages of this kind.';

/** Returns words that a person passes on as a quotation: commands and mentions in them do not count. */
export function quote(text: string): string {
  return text === '' ? '' : text.replaceAll(/^/gm, '> ');
}

/** Returns the fields of a message about its author. */
export function nameAuthor(
  name: string | undefined,
  isAdmin = false,
): Pick<ReadMessage, 'sender_name' | 'sender_is_admin'> {
  const clean = cleanName(name ?? '');
  return { ...(clean !== '' && { sender_name: clean }), ...(isAdmin && { sender_is_admin: true }) };
}

/**
 * Reads the press of a button: a command of the person who has pressed it.
 * @param data of the button
 */
export function readPress(data: string, thread: string | undefined, author: Partial<ReadMessage>): Reading {
  const content = commandOf(data);
  if (content === undefined) return { kind: 'ignored', reason: 'a button that is not known' };
  return { kind: 'message', message: { content, ...author, ...(thread !== undefined && { thread_id: thread }) } };
}
