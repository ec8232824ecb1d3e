import type { Part } from '../../core/channels/driver.js';
import { loadFile, type FileRef, type LoadedFile } from '../../core/channels/kit/message-files.js';
import { inWords, isRefused, RefusedCallError } from '../platform/verdict.js';
import type { BotApi } from './bot-api.js';
import { BAD_REQUEST, callFor, toTarget, type Link } from './outgoing.js';

/** Bots can fetch files up to this size, in bytes. */
export const MAX_FETCHED_BYTES = 20_000_000;
/** The largest file of a bot, in bytes. */
export const MAX_SENT_BYTES = 50_000_000;
/** Larger pictures are sent as documents, in bytes. */
const MAX_PHOTO_BYTES = 10_000_000;
/** Maximum length of the text of a file, in UTF-16 units. */
const MAX_CAPTION_LENGTH = 1_024;

/**
 * Opens a file of a message.
 * @throws DeliveryError, DriverError
 */
export async function openFile({ id }: FileRef, api: BotApi): Promise<AsyncIterable<Uint8Array>> {
  const { file_path: path } = await inWords(api.call('getFile', { file_id: id }));
  if (path === undefined) throw new RefusedCallError('path', 'Telegram does not have it any more');
  return api.open(path);
}

/**
 * Sends the file of a reply. Resolves with the ID of the message; with undefined for a part that is text.
 * @throws DeliveryError, DriverError; GatewayError NOT_FOUND
 */
export async function sendFile(part: Part, api: BotApi, link: Link): Promise<number | undefined> {
  const file = await loadFile(part, link, MAX_CAPTION_LENGTH);
  if (!file) return undefined;
  const caption = file.caption === undefined ? {} : { caption: file.caption };
  const sendAs = async (kind: SentKind) => {
    const message = await callFor<{ readonly message_id: number }>(part, link, ({ place }) => {
      const target = { ...toTarget(place), ...caption };
      if (kind === 'photo') return api.call('sendPhoto', { ...target, photo: file });
      if (kind === 'voice') return api.call('sendVoice', { ...target, voice: file });
      if (kind === 'audio') return api.call('sendAudio', { ...target, audio: file });
      return api.call('sendDocument', { ...target, document: file });
    });
    return message.message_id;
  };
  const kind = kindToSend(file);
  try {
    return await sendAs(kind);
  } catch (error) {
    // For example a picture with odd sides.
    if (kind === 'document' || !isRefused(error, BAD_REQUEST)) throw error;
    return sendAs('document');
  }
}

type SentKind = 'photo' | 'voice' | 'audio' | 'document';

function kindToSend({ kind, mimeType, bytes }: LoadedFile): SentKind {
  if (kind === 'file') return 'document';
  if (kind === 'image') return bytes.length <= MAX_PHOTO_BYTES && mimeType !== 'image/svg+xml' ? 'photo' : 'document';
  return mimeType === 'audio/ogg' ? 'voice' : 'audio';
}
