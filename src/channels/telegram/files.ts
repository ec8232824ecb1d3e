import { buffer } from 'node:stream/consumers';
import { DeliveryError, type Part, type PartText } from '../../core/channels/driver.js';
import type { FileRef } from '../../core/channels/message-files.js';
import { FILE_TIMEOUT_MS, RefusedCallError, type BotApi } from './bot-api.js';
import { callFor, toTarget, type Link } from './outgoing.js';

/** Bots can fetch files up to this size, in bytes. */
const MAX_FETCHED_BYTES = 20_000_000;
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
export async function openFile({ id, sizeBytes = 0 }: FileRef, api: BotApi): Promise<AsyncIterable<Uint8Array>> {
  if (sizeBytes > MAX_FETCHED_BYTES) throw new DeliveryError('refused', 'Telegram gives bots no file of this size');
  try {
    const { file_path: path } = await api.call((methods, abort) => methods.getFile({ file_id: id }, abort));
    if (path !== undefined) return await api.open(path);
  } catch (error) {
    if (error instanceof RefusedCallError) throw new DeliveryError('refused', error.description);
    throw error;
  }
  throw new DeliveryError('refused', 'Telegram does not have it any more');
}

/**
 * Sends the file of a reply. Resolves with the ID of the message.
 * @throws DeliveryError, DriverError; GatewayError NOT_FOUND
 */
export async function sendFile(part: Part, file: PartText, api: BotApi, link: Link): Promise<number> {
  const { mimeType, sizeBytes, body } = await link.openFile(file.source ?? '');
  const name = file.name ?? `${file.kind}.${mimeType.split('/')[1] ?? 'bin'}`;
  const input = () => api.wrap(bytes, name);
  const bytes = await buffer(body);
  const caption = file.alt && { caption: file.alt.slice(0, MAX_CAPTION_LENGTH).toWellFormed() };
  const sendAs = async (kind: 'photo' | 'voice' | 'audio' | 'document') => {
    const { message_id: id } = await callFor<{ readonly message_id: number }>(
      part,
      { api, link, timeoutMs: FILE_TIMEOUT_MS },
      ({ place }, methods, abort) => {
        const target = { ...toTarget(place), ...caption };
        if (kind === 'photo') return methods.sendPhoto({ ...target, photo: input() }, abort);
        if (kind === 'voice') return methods.sendVoice({ ...target, voice: input() }, abort);
        if (kind === 'audio') return methods.sendAudio({ ...target, audio: input() }, abort);
        return methods.sendDocument({ ...target, document: input() }, abort);
      },
    );
    return id;
  };
  const kind = kindToSend(file.kind, mimeType, sizeBytes);
  try {
    return await sendAs(kind);
  } catch (error) {
    // For example a picture with odd sides.
    if (kind === 'document' || !(error instanceof RefusedCallError && error.code === 400)) throw error;
    return sendAs('document');
  }
}

function kindToSend(
  kind: PartText['kind'],
  mimeType: string,
  sizeBytes: number,
): 'photo' | 'voice' | 'audio' | 'document' {
  if (kind === 'file') return 'document';
  if (kind === 'image') return sizeBytes <= MAX_PHOTO_BYTES && mimeType !== 'image/svg+xml' ? 'photo' : 'document';
  return mimeType === 'audio/ogg' ? 'voice' : 'audio';
}
