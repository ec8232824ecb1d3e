import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { MediaService } from '../../../core/media/media.service.js';
import type { ToolCallContext } from '../../../core/tools/tool.js';
import { MediaStore, type MediaRecord } from '../../../core/store/index.js';

/** Endings of file names by type, for pages that look at names. */
const ENDINGS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'audio/mpeg': 'mp3',
  'video/mp4': 'mp4',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
};

/** A file as a page gets it. */
export interface PageFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** The part of a call that says whose a file is. */
export type FileOwner = Pick<ToolCallContext, 'session' | 'caller'>;

/** Files between pages and the media of a session. A page never names a path, and an agent neither. */
@Injectable()
export class PageFilesService {
  constructor(
    private readonly media: MediaService,
    private readonly records: MediaStore,
  ) {}

  /** Keeps bytes as a file of the session. @throws UploadRefusedError; GatewayError QUOTA_EXCEEDED, STORE_UNAVAILABLE */
  async keep({ session, caller }: FileOwner, bytes: AsyncIterable<Uint8Array> | Uint8Array): Promise<MediaRecord> {
    const body = bytes instanceof Uint8Array ? Readable.from([bytes]) : bytes;
    const record = await this.media.upload(caller, body);
    await this.media.give(record.mediaId, session.id);
    return record;
  }

  /** Finds a file of the session. @throws Error if it has none with this ID */
  async find({ session }: Pick<FileOwner, 'session'>, mediaId: string): Promise<MediaRecord> {
    const record = await this.records.findMedia(session.tenant, mediaId);
    if (record?.sessionId !== session.id) throw new Error(`there is no file ${mediaId} in this conversation`);
    return record;
  }

  /** Reads a file of the session for a page. @throws Error if it has none with this ID */
  async readFor(owner: Pick<FileOwner, 'session'>, mediaId: string): Promise<PageFile> {
    const record = await this.find(owner, mediaId);
    const ending = ENDINGS[record.mimeType] ?? 'bin';
    return {
      name: `file.${ending}`,
      mimeType: record.mimeType,
      buffer: Buffer.from(await this.media.readBytes(record)),
    };
  }
}
