import { Injectable } from '@nestjs/common';
import type { Attachment } from '../../protocol/domain.js';
import { MediaService } from '../media/media.service.js';
import { MediaStore, type Session } from '../store/index.js';
import { InlineMediaSource, MediaSource, type Media } from './media-source.js';

/** Reads uploaded files by their media_id, and attachments that are part of the message. */
@Injectable()
export class StoredMediaSource extends MediaSource {
  private readonly inline = new InlineMediaSource();

  constructor(
    private readonly store: MediaStore,
    private readonly media: MediaService,
  ) {
    super();
  }

  override async read(attachment: Attachment, session: Session): Promise<Media | undefined> {
    const { media_id: mediaId } = attachment;
    if (mediaId === undefined) return this.inline.read(attachment);
    const record = await this.store.findMedia(session.tenant, mediaId);
    // A message can name any file, but may read those of its own session only.
    if (record?.sessionId !== session.id) return undefined;
    return { mimeType: record.mimeType, bytes: await this.media.readBytes(record) };
  }
}
