import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import { GatewayError, type Attachment } from '../../protocol/index.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { Principal } from '../identity/principal.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import { MediaStore, type MediaRecord } from '../store/index.js';
import { Clock } from '../time/clock.js';
import { detectMediaType, SNIFF_BYTES } from './media-type.js';

const MEDIA_ID = /^f_[0-9a-f-]{36}$/;
/** An upload that no message has named for this long is deleted, in milliseconds. */
const UNCLAIMED_FOR_MS = 24 * 3_600_000;

/** Why an upload is refused, in words for the uploader. */
export class UploadRefusedError extends Error {
  constructor(
    readonly kind: 'too-large' | 'type-not-allowed' | 'empty',
    message: string,
  ) {
    super(message);
    this.name = 'UploadRefusedError';
  }
}

/**
 * Files that people upload. Type and size go by the content; a file belongs to its uploader until a message names it,
 * and from then on to the session of that message.
 */
@Injectable()
export class MediaService {
  constructor(
    private readonly store: MediaStore,
    private readonly router: SessionRouterService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
  ) {}

  /**
   * Keeps the bytes of `body`, never more of them in memory than one chunk.
   * @throws UploadRefusedError; GatewayError STORE_UNAVAILABLE
   */
  async upload(principal: Principal, body: AsyncIterable<Uint8Array>): Promise<MediaRecord> {
    const mediaId = `f_${randomUUID()}`;
    const path = this.pathOf(mediaId);
    const unfinished = `${path}.part`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      const { sizeBytes, mimeType } = await this.receive(unfinished, body);
      await rename(unfinished, path);
      const { tenant, principal: uploader } = principal;
      const record = { mediaId, tenant, principal: uploader, mimeType, sizeBytes, createdAt: this.clock.now() };
      await this.store.addMedia(record);
      return record;
    } catch (error) {
      await Promise.all([unfinished, path].map((file) => rm(file, { force: true })));
      throw toRefusal(error);
    }
  }

  /** A file that this caller may read: its own upload, or one of a session that it may read. @throws GatewayError NOT_FOUND */
  async getReadable(principal: Principal, mediaId: string): Promise<MediaRecord> {
    const record = MEDIA_ID.test(mediaId) ? await this.store.findMedia(principal.tenant, mediaId) : undefined;
    if (!record) throw new GatewayError('NOT_FOUND', { what: `media ${mediaId}` });
    if (record.principal !== principal.principal) {
      if (record.sessionId === undefined) throw new GatewayError('NOT_FOUND', { what: `media ${mediaId}` });
      await this.router.getReadable(principal, record.sessionId);
    }
    return record;
  }

  openStream(record: MediaRecord): NodeJS.ReadableStream {
    return createReadStream(this.pathOf(record.mediaId));
  }

  async readBytes(record: MediaRecord): Promise<Uint8Array> {
    return readFile(this.pathOf(record.mediaId));
  }

  /**
   * Gives the files that a message names to its session.
   * @throws GatewayError INVALID_PAYLOAD when one does not exist for this caller
   */
  async assign(principal: Principal, attachments: readonly Attachment[], sessionId: string): Promise<void> {
    const mediaIds: string[] = [];
    for (const [i, { media_id: mediaId }] of attachments.entries()) {
      if (mediaId === undefined) continue;
      await this.getReadable(principal, mediaId).catch((error: unknown) => {
        if (!(error instanceof GatewayError) || error.code !== 'NOT_FOUND') throw error;
        const fault = { pointer: `/attachments/${i}/media_id`, message: 'is no file that you uploaded or may read' };
        throw new GatewayError('INVALID_PAYLOAD', { faults: [fault] });
      });
      mediaIds.push(mediaId);
    }
    if (mediaIds.length > 0) await this.store.assignMedia(mediaIds, sessionId);
  }

  /** Deletes some files that nobody needs any more; true when there may be more. */
  async sweep(): Promise<boolean> {
    const expired = await this.store.listExpiredMedia(this.clock.now() - UNCLAIMED_FOR_MS);
    if (expired.length === 0) return false;
    // The bytes first: a crash in between leaves a record that is found again, not bytes that nobody knows.
    for (const mediaId of expired) await rm(this.pathOf(mediaId), { force: true });
    await this.store.forgetMedia(expired);
    return true;
  }

  private async receive(
    path: string,
    body: AsyncIterable<Uint8Array>,
  ): Promise<{ sizeBytes: number; mimeType: string }> {
    const limit = this.config.get('media.max_bytes');
    const file = await open(path, 'w', 0o600);
    let sizeBytes = 0;
    let head: Uint8Array = new Uint8Array();
    let mimeType: string | undefined;
    try {
      for await (const chunk of body) {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > limit)
          throw new UploadRefusedError('too-large', `a file may have ${limit} bytes (media.max_bytes)`);
        if (mimeType === undefined) {
          head = Buffer.concat([head, chunk]);
          if (head.byteLength >= SNIFF_BYTES) mimeType = await this.admitType(head);
        }
        await file.write(chunk);
      }
      if (sizeBytes === 0) throw new UploadRefusedError('empty', 'the file is empty');
      mimeType ??= await this.admitType(head);
      await file.sync();
    } finally {
      await file.close();
    }
    return { sizeBytes, mimeType };
  }

  private async admitType(head: Uint8Array): Promise<string> {
    const allowed = this.config.get('media.types');
    const mimeType = await detectMediaType(head);
    if (mimeType !== undefined && allowed.includes(mimeType)) return mimeType;
    throw new UploadRefusedError(
      'type-not-allowed',
      `its content is ${mimeType ?? 'of no known type'}; allowed: ${allowed.join(', ')}`,
    );
  }

  private pathOf(mediaId: string): string {
    return join(resolve(this.config.get('media.folder')), mediaId.slice(2, 4), mediaId);
  }
}

/** A disk that is full is the store being unavailable: the uploader comes back later. */
function toRefusal(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const isDisk = code === 'ENOSPC' || code === 'EROFS' || code === 'EDQUOT' || code === 'EIO';
  return isDisk ? new GatewayError('STORE_UNAVAILABLE', {}, { cause: error }) : error;
}
