import type { Button, DeliveryError, Part, Place } from '../../core/channels/driver.js';
import { callWithFallbacks } from '../../core/channels/kit/fallbacks.js';
import { toPlainText } from '../../core/channels/kit/text-length.js';
import type { Log } from '../../core/telemetry/logs.js';
import { escape, markUp } from './markup.js';
import type { Raw } from '../../core/channels/kit/raw.js';
import { isRefused, type Codes } from '../platform/verdict.js';

/** The name of the metadata by which a part is found again. */
export const PART_EVENT = 'openclaw_part';

/** Refusals after which the same text goes without its markup, and those after which it goes without its thread. */
const OF_MARKUP: Codes = new Set(
  'invalid_blocks invalid_blocks_format invalid_attachments msg_blocks_too_long msg_too_long'.split(' '),
);
const OF_THREAD: Codes = new Set(
  'thread_not_found invalid_thread_ts cannot_reply_to_message restricted_action_thread_locked'.split(' '),
);

/** Refusals of an edit after which the message stays as it is. */
export const FROZEN: Codes = new Set('edit_window_closed cant_update_message'.split(' '));

/** A part without what Slack has refused of it. */
export interface Attempt {
  readonly place: Place;
  /** True after the markup was refused. */
  readonly isPlain: boolean;
}

/** Makes a call for a part, and again without what Slack refuses of it: the markup, the thread. @throws DeliveryError, DriverError */
export function callFor<T>(part: Part, log: Log, make: (attempt: Attempt) => Promise<T>): Promise<T> {
  const first = { place: part.place, isPlain: false };
  return callWithFallbacks({ part, platform: 'Slack', log, first, make, lessen: withoutRefused });
}

function withoutRefused(attempt: Attempt, error: DeliveryError): Attempt | undefined {
  if (!attempt.isPlain && isRefused(error, OF_MARKUP)) return { ...attempt, isPlain: true };
  if (attempt.place.thread !== undefined && isRefused(error, OF_THREAD))
    return { ...attempt, place: { ...attempt.place, thread: undefined } };
  return undefined;
}

/** Returns the parameters of a call that say what a message shows. The ID of the part goes along in its metadata. */
export function toMessage({ id, texts, buttons = [] }: Part, { isPlain }: Attempt): Raw {
  const text = isPlain ? escape(toPlainText(texts)) : markUp(texts);
  return {
    text,
    ...(buttons.length > 0 && !isPlain && { blocks: toBlocks(text, buttons) }),
    mrkdwn: !isPlain,
    parse: 'none',
    link_names: false,
    metadata: { event_type: PART_EVENT, event_payload: { part: id } },
  };
}

/** Returns a text with buttons. The text of a section has at most 3,000 characters. */
function toBlocks(text: string, buttons: readonly Button[]): Raw[] {
  const sections = text.match(/[^]{1,2999}(?:\n|$)|[^]{1,3000}/g) ?? [];
  const elements = buttons.map(({ text: label, data }, n) => ({
    type: 'button',
    action_id: `button_${n}`,
    text: { type: 'plain_text', text: label },
    value: data,
  }));
  return [
    ...sections.map((section) => ({ type: 'section', text: { type: 'mrkdwn', text: section } })),
    { type: 'actions', elements },
  ];
}

/** Returns the parameters of a call that say where a message goes. */
export function toTarget({ chat, thread }: Place): Raw {
  return { channel: chat, thread_ts: thread };
}
