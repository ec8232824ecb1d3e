import { GatewayError } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
import type { MediaService } from '../media/media.service.js';
import type { KeptFile, OpenFile } from './driver.js';

/** A file of this gateway, and the start of a URL that contains the file itself. */
const STORED = /\/media\/(f_[0-9a-f-]{36})$/;
const INLINE = /^data:([^;,]+);base64,/;

/** The files of messages and of replies of one account. */
export class ChannelFiles {
  constructor(
    private readonly media: MediaService,
    private readonly principal: Principal,
  ) {}

  /** See `ChannelLink.keepFile`. */
  async keep(body: AsyncIterable<Uint8Array>): Promise<KeptFile> {
    const { mediaId, mimeType, sizeBytes } = await this.media.upload(this.principal, body);
    return { mediaId, mimeType, sizeBytes };
  }

  /** See `ChannelLink.openFile`. */
  async open(source: string): Promise<OpenFile> {
    const inline = openInline(source);
    if (inline) return inline;
    const mediaId = STORED.exec(source)?.[1];
    if (mediaId === undefined) throw new GatewayError('NOT_FOUND', { what: 'a file of this gateway' });
    const record = await this.media.getReadable(this.principal, mediaId);
    return { mimeType: record.mimeType, sizeBytes: record.sizeBytes, body: await this.media.openStream(record) };
  }
}

/** Opens a file that its URL contains; undefined for another URL. */
export function openInline(source: string): OpenFile | undefined {
  const [head, mimeType] = INLINE.exec(source) ?? [];
  if (head === undefined || mimeType === undefined) return undefined;
  const bytes = Buffer.from(source.slice(head.length), 'base64');
  async function* read(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return { mimeType, sizeBytes: bytes.length, body: read() };
}
