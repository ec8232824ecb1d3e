import type { Part } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/text-length.js';
import { RefusedCallError } from './bot-api.js';
import { markUp } from './markup.js';

/** Telegram's limit of a text, in UTF-16 units. */
export const MAX_LENGTH = 4_096;

export const NO_PREVIEW = { is_disabled: true };

/**
 * Telegram tells these refusals apart by their words only; all of them have the code 400. Words that change make a part
 * undeliverable, and nothing worse.
 */
const MARKUP = "can't parse entities";
const NO_THREAD = 'message thread not found';
const NO_TARGET = 'message to be replied not found';
export const NOT_MODIFIED = 'message is not modified';

/** Where a message goes. */
export interface Target {
  readonly chat_id: string;
  readonly message_thread_id?: number;
  readonly reply_parameters?: { readonly message_id: number; readonly allow_sending_without_reply: true };
}

/** A message for `sendMessage`. */
export interface Outgoing {
  readonly place: Target;
  readonly text: string;
  readonly parse_mode?: 'HTML';
}

/** Returns the message that shows a part. */
export function toOutgoing({ place, texts }: Part): Outgoing {
  const { html, length } = markUp(texts);
  // A text that fits may be too long with its markup.
  return length <= MAX_LENGTH
    ? { place: toTarget(place), text: html, parse_mode: 'HTML' }
    : { place: toTarget(place), text: toPlainText(texts) };
}

/** Returns where a message goes. */
export function toTarget({ chat, thread, replyTo }: Part['place']): Target {
  return {
    chat_id: chat,
    ...(thread !== undefined && { message_thread_id: Number(thread) }),
    ...(replyTo !== undefined && {
      reply_parameters: { message_id: Number(replyTo), allow_sending_without_reply: true },
    }),
  };
}

/** Returns a message without what was refused of it; undefined if that cannot be left out. */
export function withoutRefused(outgoing: Outgoing, part: Part, error: RefusedCallError): Outgoing | undefined {
  const { place, parse_mode: isMarked, ...rest } = outgoing;
  if (error.movedTo !== undefined && place.chat_id !== String(error.movedTo))
    return { ...outgoing, place: { ...place, chat_id: String(error.movedTo) } };
  const { message_thread_id: thread, reply_parameters: reply, ...chat } = place;
  if (isMarked && isRefusal(error, MARKUP)) return { place, text: toPlainText(part.texts) };
  const kept = isMarked && { parse_mode: isMarked };
  if (thread !== undefined && isRefusal(error, NO_THREAD))
    return { ...rest, ...kept, place: { ...chat, ...(reply && { reply_parameters: reply }) } };
  if (reply && isRefusal(error, NO_TARGET))
    return { ...rest, ...kept, place: { ...chat, ...(thread !== undefined && { message_thread_id: thread }) } };
  return undefined;
}

export function isRefusal(error: unknown, words: string): boolean {
  return error instanceof RefusedCallError && error.code === 400 && error.description.includes(words);
}
