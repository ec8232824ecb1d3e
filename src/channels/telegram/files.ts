import { buffer } from 'node:stream/consumers';
import { DeliveryError, DriverError, type Part, type PartText, type Reading } from '../../core/channels/driver.js';
import { UploadRefusedError } from '../../core/media/media.service.js';
import { GatewayError, type Attachment } from '../../protocol/domain.js';
import { FILE_TIMEOUT_MS, RefusedCallError, type BotApi } from './bot-api.js';
import type { FileRef } from './content.js';
import { callWithFallbacks, toTarget, type Link } from './outgoing.js';
import { cleanName } from './updates.js';

/** Bots can fetch files up to this size, in bytes. */
const MAX_FETCHED_BYTES = 20_000_000;
/** Larger pictures are sent as documents, in bytes. */
const MAX_PHOTO_BYTES = 10_000_000;
/** Maximum length of the text of a file, in UTF-16 units. */
const MAX_CAPTION_LENGTH = 1_024;

/**
 * Returns a message with its files. One that is not available is named in a note, and in the text if there is no other.
 * @throws DeliveryError, DriverError when it can be tried again
 */
export async function withFiles(
  reading: Extract<Reading, { kind: 'message' }>,
  files: readonly FileRef[],
  api: BotApi,
  link: Link,
): Promise<Reading> {
  const attachments: Attachment[] = [];
  const missing: string[] = [];
  for (const file of files) {
    const taken = await takeFile(file, api, link);
    if (typeof taken === 'string') missing.push(`${nameOf(file)}: ${taken}`);
    else attachments.push(taken);
  }
  const { message } = reading;
  const isEmpty = message.content === '' && attachments.length === 0;
  return {
    ...reading,
    message: {
      ...message,
      ...(isEmpty && { content: files.map((file) => `[${nameOf(file)}]`).join(' ') }),
      ...(attachments.length > 0 && { attachments }),
    },
    ...(missing.length > 0 && { note: `I could not read ${missing.join('; ')}` }),
  };
}

function nameOf({ kind, name, sizeBytes }: FileRef): string {
  const size = sizeBytes === undefined ? '' : `${sizeBytes} bytes`;
  return [kind, cleanName(name ?? ''), size].filter((text) => text !== '').join(', ');
}

/** Returns the file as an attachment, or why it cannot be one. */
async function takeFile(
  { id, name = '', sizeBytes = 0 }: FileRef,
  api: BotApi,
  link: Link,
): Promise<Attachment | string> {
  if (sizeBytes > MAX_FETCHED_BYTES) return 'Telegram gives bots no file of this size';
  try {
    const { file_path: path } = await api.call((methods, abort) => methods.getFile({ file_id: id }, abort));
    if (path === undefined) return 'Telegram does not have it any more';
    const { mediaId, mimeType, sizeBytes: size } = await link.keepFile(await api.open(path));
    const file = { kind: kindOf(mimeType), media_id: mediaId, mime_type: mimeType, size_bytes: size };
    const clean = cleanName(name);
    return clean === '' ? file : { ...file, name: clean };
  } catch (error) {
    if (error instanceof RefusedCallError) return error.description;
    if (error instanceof DriverError || error instanceof DeliveryError) throw error;
    if (error instanceof UploadRefusedError) return error.message;
    const cause = GatewayError.from(error);
    if (cause.code === 'QUOTA_EXCEEDED') return cause.message;
    throw new DeliveryError('not_sent', `a file could not be stored: ${cause.code}`, undefined, { cause });
  }
}

/** Returns the kind by the content, not by what the sender declares. */
function kindOf(mimeType: string): Attachment['kind'] {
  const [type] = mimeType.split('/');
  return type === 'image' || type === 'audio' || type === 'video' ? type : 'file';
}

/** Returns the file that a part is; undefined for a part that is text. */
export function fileOf({ texts }: Part): PartText | undefined {
  const [first] = texts;
  return first?.source === undefined ? undefined : first;
}

/**
 * Sends the file of a reply. Resolves with the ID of the message.
 * @throws DeliveryError, DriverError; GatewayError NOT_FOUND
 */
export async function sendFile(part: Part, file: PartText, api: BotApi, link: Link): Promise<number> {
  const { mimeType, sizeBytes, body } = await link.openFile(file.source ?? '');
  const input = () => api.wrap(bytes, `${file.kind}.${mimeType.split('/')[1] ?? 'bin'}`);
  const bytes = await buffer(body);
  const caption = file.alt && { caption: file.alt.slice(0, MAX_CAPTION_LENGTH).toWellFormed() };
  const sendAs = async (kind: 'photo' | 'voice' | 'audio' | 'document') => {
    const { message_id: id } = await callWithFallbacks<{ readonly message_id: number }>(
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
  if (kind === 'image') return sizeBytes <= MAX_PHOTO_BYTES && mimeType !== 'image/svg+xml' ? 'photo' : 'document';
  return mimeType === 'audio/ogg' ? 'voice' : 'audio';
}
