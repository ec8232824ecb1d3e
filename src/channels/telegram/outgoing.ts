import type { ChannelLink, Part, Place } from '../../core/channels/driver.js';
import { callWithFallbacks } from '../../core/channels/kit/fallbacks.js';
import { toPlainText } from '../../core/channels/kit/text-length.js';
import { isRefused, RefusedCallError, type Codes } from '../platform/verdict.js';
import type { RefusalDetails } from './bot-api.js';
import { markUp } from './markup.js';

/** Telegram's limit of a text, in UTF-16 units. */
export const MAX_LENGTH = 4_096;

export const NO_PREVIEW = { is_disabled: true };
/** The code of refusals that differ in their words only. */
export const BAD_REQUEST: Codes = new Set([400]);

/** Words of such refusals. If Telegram changes them, the part is undeliverable, and nothing else happens. */
const MARKUP = "can't parse entities";
const NO_THREAD = 'message thread not found';
const NO_TARGET = 'message to be replied not found';
export const NOT_MODIFIED = 'message is not modified';

/** The link of any account, as far as the functions of this folder need it. */
export type Link = Omit<ChannelLink, 'settings'>;

/** A part without what Telegram has refused of it. */
export interface Attempt {
  readonly place: Place;
  /** True after the markup was refused. */
  readonly isPlain: boolean;
}

/**
 * Makes a call for a part. Repeats it without what Telegram refuses of the part: the markup, the topic, the message that
 * it replies to; or in the chat that the group has become.
 * @throws DeliveryError, DriverError
 */
export function callFor<T>(part: Part, link: Link, make: (attempt: Attempt) => Promise<T>): Promise<T> {
  return callWithFallbacks<Attempt, T>({
    part,
    platform: 'Telegram',
    log: link.log,
    first: { place: part.place, isPlain: false },
    make,
    async lessen(attempt, error) {
      if (!(error instanceof RefusedCallError)) return undefined;
      const { movedTo } = error.details as RefusalDetails;
      if (movedTo !== undefined) await link.moveChat(part.place.chat, movedTo);
      return withoutRefused(attempt, error, movedTo);
    },
  });
}

/** Returns the next attempt; undefined if what was refused cannot be left out. */
function withoutRefused(attempt: Attempt, error: RefusedCallError, chat: string | undefined): Attempt | undefined {
  const { place, isPlain } = attempt;
  if (chat !== undefined && chat !== place.chat) return { ...attempt, place: { ...place, chat } };
  if (!isPlain && isRefusal(error, MARKUP)) return { ...attempt, isPlain: true };
  if (place.thread !== undefined && isRefusal(error, NO_THREAD))
    return { ...attempt, place: { ...place, thread: undefined } };
  if (place.replyTo !== undefined && isRefusal(error, NO_TARGET))
    return { ...attempt, place: { ...place, replyTo: undefined } };
  return undefined;
}

/** Returns the text of a part, with markup if it fits: a text within the limit may be too long with it. */
export function toText({ texts }: Part, { isPlain }: Attempt): { text: string; parse_mode?: 'HTML' } {
  const { html, length } = markUp(texts);
  return isPlain || length > MAX_LENGTH ? { text: toPlainText(texts) } : { text: html, parse_mode: 'HTML' };
}

/** Returns the buttons of a part. A call without them takes those of the message away. */
export function toKeyboard({ buttons }: Part) {
  if (!buttons) return {};
  const row = buttons.map(({ text, data }) => ({ text, callback_data: data }));
  return { reply_markup: { inline_keyboard: [row] } };
}

/** Returns the parameters of a call that say where a message goes. */
export function toTarget({ chat, thread, replyTo }: Place) {
  return {
    chat_id: chat,
    ...(thread !== undefined && { message_thread_id: Number(thread) }),
    ...(replyTo !== undefined && {
      reply_parameters: { message_id: Number(replyTo), allow_sending_without_reply: true },
    }),
  };
}

/** Returns whether an error is the refusal with these words. */
export function isRefusal(error: unknown, words: string): boolean {
  return isRefused(error, BAD_REQUEST) && error.words.includes(words);
}
