/** The parts of readings that all platforms share. */
import type { Log } from '../../telemetry/logs.js';
import { cleanName } from './clean-name.js';
import { commandOf, type Reading, type ReadMessage } from '../driver.js';

/** The note to a person whose message has nothing that can be read. */
export const UNREADABLE = 'I cannot read messages of this kind.';

/**
 * Decides what something is that a platform hands over. Returns undefined for what cannot be understood, for example since a
 * field is missing: it is logged and left out.
 */
export function understand<T>(log: Log, decide: () => T): T | undefined {
  try {
    return decide();
  } catch (error) {
    log.warn({ error }, 'something of a platform could not be understood; it is left out');
    return undefined;
  }
}

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
