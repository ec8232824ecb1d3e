import { commandOf, type Button, type ChannelLink, type Part, type Place } from '../../core/channels/driver.js';
import { callWithFallbacks } from '../../core/channels/kit/fallbacks.js';
import { loadFile, type LoadedFile } from '../../core/channels/kit/message-files.js';
import { shorten, toPlainText } from '../../core/channels/kit/text-length.js';
import { isRefused } from '../platform/verdict.js';
import { ODD_VALUES, type CloudApi } from './cloud-api.js';
import { markUp, MAX_LENGTH } from './markup.js';
import { isNumber } from './people.js';
import type { Raw } from '../../core/channels/kit/raw.js';

/** Maximum length of the text of a file, or above buttons. */
const MAX_SHORT_LENGTH = 1_024;
/** The platform's limit of a document, in bytes. */
export const MAX_FILE_BYTES = 100_000_000;

/** Types that are shown as what they are, with their largest size in bytes; others are sent as documents. */
const SHOWN: ReadonlyMap<string, readonly [type: 'image' | 'audio', maxBytes: number]> = new Map([
  ['image/jpeg', ['image', 5_000_000]],
  ['image/png', ['image', 5_000_000]],
  ['audio/aac', ['audio', 16_000_000]],
  ['audio/amr', ['audio', 16_000_000]],
  ['audio/mp4', ['audio', 16_000_000]],
  ['audio/mpeg', ['audio', 16_000_000]],
  ['audio/ogg', ['audio', 16_000_000]],
] as const);

/** The link of any account, as far as the functions of this folder need it. */
export type Link = Omit<ChannelLink, 'settings'>;

/** A part without what the platform has refused of it. */
interface Attempt {
  readonly quoted: string | undefined;
  readonly body: string;
}

/**
 * Sends a part. Sends it again without what the platform refuses of it: the message that it replies to, the markup.
 * @throws RefusedCallError, DeliveryError, DriverError; GatewayError NOT_FOUND
 */
export async function sendPart(part: Part, api: CloudApi, link: Link): Promise<string> {
  const plain = toPlainText(part.texts);
  const file = await loadFile(part, link, MAX_SHORT_LENGTH);
  const uploaded = file && (await upload(file, api));
  return callWithFallbacks<Attempt, string>({
    part,
    platform: 'WhatsApp',
    log: link.log,
    first: { quoted: part.place.isGroup ? part.place.replyTo : undefined, body: markUp(part.texts) },
    make: ({ quoted, body }) =>
      api.post({
        ...toTarget(part.place),
        ...(quoted !== undefined && { context: { message_id: quoted } }),
        ...(uploaded ?? toContent(body, part.buttons ?? [])),
        // Each status of the message names it.
        biz_opaque_callback_data: part.id,
      }),
    lessen(attempt, error) {
      if (!isRefused(error, ODD_VALUES)) return undefined;
      if (attempt.quoted !== undefined) return { ...attempt, quoted: undefined };
      return !uploaded && attempt.body !== plain ? { ...attempt, body: plain } : undefined;
    },
  });
}

/** Returns a text with buttons below it; with commands in their place if it is too long for buttons. */
function toContent(text: string, buttons: readonly Button[]): Raw {
  if (buttons.length === 0) return { type: 'text', text: { body: text, preview_url: false } };
  if (text.length > MAX_SHORT_LENGTH) {
    const commands = buttons.map(({ text: title, data }) => `\n${title}: ${commandOf(data) ?? data}`).join('');
    const shown = shorten(text, MAX_LENGTH - commands.length);
    return { type: 'text', text: { body: shown + commands, preview_url: false } };
  }
  const replies = buttons.map(({ text: title, data: id }) => ({ type: 'reply', reply: { id, title } }));
  return { type: 'interactive', interactive: { type: 'button', body: { text }, action: { buttons: replies } } };
}

/** Returns where a message goes. The platform accepts a business-scoped ID in `to`, and delivers nothing then. */
function toTarget({ chat, isGroup }: Place): Raw {
  if (isGroup) return { recipient_type: 'group', to: chat };
  return { recipient_type: 'individual', ...(isNumber(chat) ? { to: chat } : { recipient: chat }) };
}

/** Stores the file of a part on the platform. Returns the fields of its message. */
async function upload(file: LoadedFile, api: CloudApi): Promise<Raw> {
  const { mimeType, bytes, name, caption } = file;
  const [type, maxBytes] = SHOWN.get(mimeType) ?? ['document', MAX_FILE_BYTES];
  const kind = bytes.length <= maxBytes ? type : 'document';
  const id = await api.upload(file);
  const shown = kind !== 'audio' && caption !== undefined && { caption };
  return { type: kind, [kind]: { id, ...shown, ...(kind === 'document' && { filename: name }) } };
}
