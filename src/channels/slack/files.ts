import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { DeliveryError, type ChannelLink, type Part, type PartText } from '../../core/channels/driver.js';
import type { FileRef } from '../../core/channels/message-files.js';
import type { Post, SharedFile } from './events.js';
import { callFor } from './outgoing.js';
import { toRaw, toRaws, toText } from '../../core/channels/raw.js';
import { RefusedCallError, type WebApi } from './web-api.js';

/** A body that begins so is a page, for example that of the sign-in. */
const PAGE = /^\s*<(!doctype html|html)/i;
/** Refs of messages that are files begin so. */
const FILE_REF = 'file:';

/** Returns the files of a post, in their order. */
export function toFileRefs({ files }: Post): FileRef[] {
  return files.map(({ id, name, mimeType, sizeBytes }) => ({ id, kind: kindOf(mimeType), name, sizeBytes }));
}

function kindOf(mimeType = ''): FileRef['kind'] {
  const [type] = mimeType.split('/');
  return type === 'image' || type === 'audio' || type === 'video' ? type : 'file';
}

/**
 * Opens a file of a post.
 * @throws DeliveryError `refused` with words for people; otherwise it can be tried again
 */
export async function openFile(shared: SharedFile | undefined, api: WebApi): Promise<AsyncIterable<Uint8Array>> {
  try {
    const url = shared?.url ?? (await findUrl(shared?.id ?? '', api));
    const { type, body } = await api.open(url);
    if (shared?.mimeType === 'text/html') return body;
    if (type.startsWith('text/html')) throw new RefusedCallError('file', 'Slack gives a page in its place');
    return withoutPage(body);
  } catch (error) {
    throw error instanceof RefusedCallError ? new DeliveryError('refused', error.code) : error;
  }
}

async function findUrl(id: string, api: WebApi): Promise<string> {
  const file = toRaw((await api.call('files.info', { file: id }))['file']);
  const url = toText(file['url_private_download']) ?? toText(file['url_private']);
  if (url === undefined) throw new RefusedCallError('file', 'Slack does not give it');
  return url;
}

/** @throws DeliveryError `refused` for a page, which Slack gives to who may not have the file */
async function* withoutPage(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of body) {
    if (isFirst && PAGE.test(Buffer.from(chunk.subarray(0, 100)).toString('latin1')))
      throw new DeliveryError('refused', 'Slack gives a page in its place');
    isFirst = false;
    yield chunk;
  }
}

/** Returns the name of the file that a part becomes: by it the part is found again. */
function nameFile({ id }: Part, { kind, name }: PartText, mimeType: string): string {
  const mark = createHash('sha256').update(id).digest('hex').slice(0, 12);
  const extension = name?.split('.').at(-1) ?? mimeType.split('/')[1]?.replace(/[^a-z0-9]+.*$/, '') ?? 'bin';
  return `${kind}-${mark}.${extension}`;
}

/** Returns whether a file is the part. */
function isFileOf(part: Part, file: PartText, name: string): boolean {
  return name.startsWith(nameFile(part, file, '').split('.')[0] ?? '\0');
}

/**
 * Sends the file of a reply. Only the last of its calls has an effect that people see.
 * @returns the ref of the message
 * @throws DeliveryError, DriverError; GatewayError NOT_FOUND
 */
export async function sendFile(
  part: Part,
  file: PartText,
  api: WebApi,
  { openFile: open, log }: Pick<ChannelLink, 'openFile' | 'log'>,
): Promise<string> {
  const { mimeType, body } = await open(file.source ?? '');
  const bytes = await buffer(body);
  const filename = nameFile(part, file, mimeType);
  const { upload_url: url, file_id: id } = await notSent(
    api.call('files.getUploadURLExternal', { filename, length: bytes.length, alt_txt: file.alt }),
  );
  await notSent(api.upload(toText(url) ?? '', bytes));
  const files = [{ id, title: file.alt ?? filename }];
  await callFor(part, log, ({ place: { chat, thread } }) =>
    api.call('files.completeUploadExternal', { files, channel_id: chat, thread_ts: thread }),
  );
  return `${FILE_REF}${toText(id) ?? ''}`;
}

/** What fails before anything is shown was not sent. */
async function notSent<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    if (!(error instanceof DeliveryError) || error.outcome !== 'unknown') throw error;
    throw new DeliveryError('not_sent', error.message);
  });
}

/** Returns the ID of the file that a message is; undefined for a text. */
export function fileIdOf(ref: string): string | undefined {
  return ref.startsWith(FILE_REF) ? ref.slice(FILE_REF.length) : undefined;
}

/** Returns the ref of the message in which a part was sent as a file, from the history of a chat. */
export function findSentFile(part: Part, file: PartText, files: unknown): string | undefined {
  const found = toRaws(files).find(({ name }) => isFileOf(part, file, toText(name) ?? ''));
  return found && `${FILE_REF}${toText(found['id']) ?? ''}`;
}
