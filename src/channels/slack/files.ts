import { hash } from 'node:crypto';
import { DeliveryError, type ChannelLink, type Part } from '../../core/channels/driver.js';
import { kindOf, loadFile, type FileRef } from '../../core/channels/kit/message-files.js';
import type { Post, SharedFile } from './events.js';
import { callFor } from './outgoing.js';
import { toRaw, toRaws, toText } from '../../core/channels/kit/raw.js';
import { beforeEffect, inWords, RefusedCallError } from '../platform/verdict.js';
import type { WebApi } from './web-api.js';

/** A body that begins so is a page, for example that of the sign-in. */
const PAGE = /^\s*<(!doctype html|html)/i;
const PAGE_GIVEN = 'Slack gives a page in its place';
const MAX_ALT_LENGTH = 1_000;
/** Refs of messages that are files begin so. */
const FILE_REF = 'file:';

/** Returns the files of a post, in their order. */
export function toFileRefs({ files }: Post): FileRef[] {
  return files.map(({ id, name, mimeType, sizeBytes }) => ({ id, kind: kindOf(mimeType), name, sizeBytes }));
}

/**
 * Opens a file of a post.
 * @throws DeliveryError `refused` with words for people; otherwise it can be tried again
 */
export async function openFile(shared: SharedFile | undefined, api: WebApi): Promise<AsyncIterable<Uint8Array>> {
  const url = shared?.url ?? (await inWords(findUrl(shared?.id ?? '', api)));
  const { type, body } = await api.open(url);
  if (shared?.mimeType === 'text/html') return body;
  if (type.startsWith('text/html')) throw new DeliveryError('refused', PAGE_GIVEN);
  return withoutPage(body);
}

async function findUrl(id: string, api: WebApi): Promise<string> {
  const file = toRaw((await api.call('files.info', { file: id }))['file']);
  const url = toText(file['url_private_download']) ?? toText(file['url_private']);
  if (url === undefined) throw new RefusedCallError('url', 'Slack does not give it');
  return url;
}

/** @throws DeliveryError `refused` for a page, which Slack gives to who may not have the file */
async function* withoutPage(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of body) {
    if (isFirst && PAGE.test(Buffer.from(chunk.subarray(0, 100)).toString('latin1')))
      throw new DeliveryError('refused', PAGE_GIVEN);
    isFirst = false;
    yield chunk;
  }
}

/** Returns the mark in the name of the file that a part becomes: by it the part is found again. */
function markOf({ id }: Part): string {
  return `-${hash('sha256', id, 'hex').slice(0, 12)}.`;
}

/**
 * Sends the file of a reply. Only the last of its calls has an effect that people see.
 * @returns the ref of the message; undefined for a part that is text
 * @throws DeliveryError, DriverError; GatewayError NOT_FOUND
 */
export async function sendFile(
  part: Part,
  api: WebApi,
  link: Pick<ChannelLink, 'openFile' | 'log'>,
): Promise<string | undefined> {
  const file = await loadFile(part, link, MAX_ALT_LENGTH);
  if (!file) return undefined;
  const { kind, name, bytes, caption } = file;
  const filename = kind + markOf(part) + (name.split('.').at(-1) ?? '');
  const { upload_url: url, file_id: id } = await beforeEffect(
    api.call('files.getUploadURLExternal', { filename, length: bytes.length, alt_txt: caption }),
  );
  await beforeEffect(api.upload(toText(url) ?? '', bytes));
  const files = [{ id, title: caption ?? filename }];
  await callFor(part, link.log, ({ place: { chat, thread } }) =>
    api.call('files.completeUploadExternal', { files, channel_id: chat, thread_ts: thread }),
  );
  return `${FILE_REF}${toText(id) ?? ''}`;
}

/** Returns the ID of the file that a message is; undefined for a text. */
export function fileIdOf(ref: string): string | undefined {
  return ref.startsWith(FILE_REF) ? ref.slice(FILE_REF.length) : undefined;
}

/** Returns the ref of the message in which a part was sent as a file, from the history of a chat. */
export function findSentFile(part: Part, files: unknown): string | undefined {
  const found = toRaws(files).find(({ name }) => toText(name)?.includes(markOf(part)));
  return found && `${FILE_REF}${toText(found['id']) ?? ''}`;
}
