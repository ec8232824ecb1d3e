import { buffer } from 'node:stream/consumers';
import { GatewayError, type Attachment } from '../../../protocol/domain.js';
import { UploadRefusedError } from '../../media/media.service.js';
import { cleanName } from './clean-name.js';
import { DeliveryError, DriverError, type ChannelLink, type Part, type PartText, type Reading } from '../driver.js';

/** A file of a message that the platform keeps. */
export interface FileRef {
  /** For the platform: by it the file is fetched. */
  readonly id: string;
  readonly kind: Attachment['kind'];
  readonly name?: string | undefined;
  readonly sizeBytes?: number | undefined;
}

/** Where the files of messages come from. */
export interface FileSource {
  /** Fetches a file. @throws DeliveryError `refused` with words for people; otherwise it can be tried again */
  readonly open: (file: FileRef) => Promise<AsyncIterable<Uint8Array>>;
  /** Larger ones are not fetched, in bytes. */
  readonly maxBytes: number;
}

/**
 * Returns a message with its files. One that is not available is named in a note, and in the text if there is no other.
 * @throws DeliveryError, DriverError when it can be tried again
 */
export async function withFiles(
  reading: Extract<Reading, { kind: 'message' }>,
  files: readonly FileRef[],
  link: Pick<ChannelLink, 'keepFile'>,
  { open, maxBytes }: FileSource,
): Promise<Reading> {
  const attachments: Attachment[] = [];
  const missing: string[] = [];
  for (const file of files) {
    const isTooLarge = (file.sizeBytes ?? 0) > maxBytes;
    const taken = isTooLarge ? `it has more than ${maxBytes} bytes` : await takeFile(file, link, open);
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
  file: FileRef,
  link: Pick<ChannelLink, 'keepFile'>,
  open: FileSource['open'],
): Promise<Attachment | string> {
  try {
    const { mediaId, mimeType, sizeBytes: size } = await link.keepFile(await open(file));
    // A container of MP4 may have a voice alone: the sender's platform knows.
    const kind = file.kind === 'audio' && mimeType === 'video/mp4' ? 'audio' : kindOf(mimeType);
    const attachment = { kind, media_id: mediaId, mime_type: mimeType, size_bytes: size };
    const name = cleanName(file.name ?? '');
    return name === '' ? attachment : { ...attachment, name };
  } catch (error) {
    if (error instanceof DeliveryError && error.outcome === 'refused') return error.message;
    if (error instanceof DriverError || error instanceof DeliveryError) throw error;
    if (error instanceof UploadRefusedError) return error.message;
    const cause = GatewayError.from(error);
    if (cause.code === 'QUOTA_EXCEEDED') return cause.message;
    throw new DeliveryError('not_sent', `a file could not be stored: ${cause.code}`, undefined, { cause });
  }
}

/** Returns the kind of a file by its type. The kind of an attachment is that of its content, not of what its sender declares. */
export function kindOf(mimeType = ''): Attachment['kind'] {
  const [type] = mimeType.split('/');
  return type === 'image' || type === 'audio' || type === 'video' ? type : 'file';
}

/** Returns the file that a part is; undefined for a part that is text. */
export function fileOf({ texts }: Part): PartText | undefined {
  const [first] = texts;
  return first?.source === undefined ? undefined : first;
}

/** The file of a reply, in memory. */
export interface LoadedFile {
  readonly kind: PartText['kind'];
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A text that describes it, as long as the platform takes it. */
  readonly caption: string | undefined;
}

/** Loads the file that a part is; undefined for a part that is text. @throws GatewayError NOT_FOUND */
export async function loadFile(
  part: Part,
  link: Pick<ChannelLink, 'openFile'>,
  maxCaptionLength: number,
): Promise<LoadedFile | undefined> {
  const file = fileOf(part);
  if (!file) return undefined;
  const { mimeType, body } = await link.openFile(file.source ?? '');
  const extension = /^[a-z0-9]+/.exec(mimeType.split('/')[1] ?? '')?.[0] ?? 'bin';
  return {
    kind: file.kind,
    name: file.name ?? `${file.kind}.${extension}`,
    mimeType,
    bytes: await buffer(body),
    caption: file.alt === '' ? undefined : file.alt?.slice(0, maxCaptionLength).toWellFormed(),
  };
}
