import { Injectable } from '@nestjs/common';
import type { Attachment } from '../../protocol/domain.js';
import type { Session } from '../store/index.js';

/** The bytes of an attachment. */
export interface Media {
  /** For example `image/png`: what its sender or its upload says. */
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

/** Where runtimes get the bytes of attachments. */
export abstract class MediaSource {
  /**
   * The bytes of what is attached to a message of `session`; undefined when they cannot be had. What lies behind a foreign
   * URL is never fetched. Rejects only when the bytes are there and cannot be read.
   */
  abstract read(attachment: Attachment, session: Session): Promise<Media | undefined>;
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w.+-]+=[\w.+-]+)*;base64,([A-Za-z0-9+/]*={0,2})$/;

/** Reads what messages themselves carry: `data`, and data URLs. */
@Injectable()
export class InlineMediaSource extends MediaSource {
  override async read({ mime_type, data, url }: Attachment): Promise<Media | undefined> {
    const inUrl = url === undefined ? undefined : DATA_URL.exec(url);
    const encoded = data ?? inUrl?.[2];
    const mimeType = mime_type ?? inUrl?.[1];
    return encoded === undefined || mimeType === undefined
      ? undefined
      : { mimeType, bytes: Buffer.from(encoded, 'base64') };
  }
}
