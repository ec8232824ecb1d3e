import { Injectable } from '@nestjs/common';
import type { Attachment } from '../../protocol/domain.js';
import type { Session } from '../store/index.js';

/** The bytes of an attachment. */
export interface Media {
  /** As the sender or the upload declares it, for example `image/png`. */
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

/** The port through which runtimes read attachments. */
export abstract class MediaSource {
  /**
   * Reads an attachment of a message of `session`. Resolves with undefined when it is not available; foreign URLs are
   * never fetched. Rejects only when the bytes exist and cannot be read.
   */
  abstract read(attachment: Attachment, session: Session): Promise<Media | undefined>;
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w.+-]+=[\w.+-]+)*;base64,([A-Za-z0-9+/]*={0,2})$/;

/** Reads attachments that are part of the message: `data`, and data URLs. */
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
