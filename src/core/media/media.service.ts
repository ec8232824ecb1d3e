import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Injectable } from '@nestjs/common';
import { GatewayError, type Attachment } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { readLimit } from '../limits/tenant-limits.js';
import type { Principal } from '../identity/principal.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import { MediaStore, type MediaRecord, type Session, type UploadSum } from '../store/index.js';
import { Clock, DAY_MS, HOUR_MS } from '../time/clock.js';
import { BlobStore } from './blob.store.js';
import { detectMediaType, SNIFF_BYTES } from './media-type.js';

/** Number of files whose records are looked up at a time. */
const RECONCILE_PORTION = 100;

const MEDIA_ID = /^f_[0-9a-f-]{36}$/;
/** Time after which an upload that no message names is deleted, in milliseconds. */
const UNCLAIMED_FOR_MS = DAY_MS;

/** An upload is refused. The message is for the uploader. */
export class UploadRefusedError extends Error {
  constructor(
    readonly kind: 'too-large' | 'type-not-allowed' | 'empty',
    message: string,
  ) {
    super(message);
    this.name = 'UploadRefusedError';
  }
}

/** A file that the gateway itself has made for a session. */
export interface MadeFile {
  readonly mediaId: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

/** A pending upload. */
interface Admission {
  readonly body: AsyncIterable<Uint8Array>;
  sizeBytes: number;
  mimeType: string;
}

/**
 * Manages uploaded files. Type and size are taken from the content. A file belongs to its uploader until a message
 * names it, and then to the session of that message.
 */
@Injectable()
export class MediaService {
  constructor(
    private readonly records: MediaStore,
    private readonly blobs: BlobStore,
    private readonly router: SessionRouterService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
  ) {}

  /**
   * Stores the bytes of `body`, with at most a few chunks in memory.
   * @throws UploadRefusedError; GatewayError QUOTA_EXCEEDED, STORE_UNAVAILABLE
   */
  async upload(
    { tenant, principal }: Pick<Principal, 'tenant' | 'principal'>,
    body: AsyncIterable<Uint8Array>,
  ): Promise<MediaRecord> {
    const quota = { since: this.clock.now() - DAY_MS, maxBytes: this.maxBytesOf(tenant) };
    const used = await this.records.sumUploads(tenant, principal, quota.since);
    if (used.bytes >= quota.maxBytes) throw this.exceeded(used);
    const mediaId = `f_${randomUUID()}`;
    const admission = this.admit(body);
    await this.blobs.put(mediaId, admission.body);
    const { sizeBytes, mimeType } = admission;
    const record = { mediaId, tenant, principal, mimeType, sizeBytes, createdAt: this.clock.now() };
    try {
      if (!(await this.records.addMedia(record, quota))) throw this.exceeded(used);
    } catch (error) {
      await this.blobs.remove(mediaId);
      throw error;
    }
    return record;
  }

  /**
   * Returns a file that this caller may read: its own upload, or one of a session that it may read. @throws
   * GatewayError NOT_FOUND
   */
  async getReadable(principal: Principal, mediaId: string): Promise<MediaRecord> {
    const record = MEDIA_ID.test(mediaId) ? await this.records.findMedia(principal.tenant, mediaId) : undefined;
    if (!record) throw new GatewayError('NOT_FOUND', { what: `media ${mediaId}` });
    if (record.principal !== principal.principal) {
      if (record.sessionId === undefined) throw new GatewayError('NOT_FOUND', { what: `media ${mediaId}` });
      await this.router.getReadable(principal, record.sessionId);
    }
    return record;
  }

  /** Returns a file of a tenant, without a check of who may read it. */
  find(tenant: string, mediaId: string): Promise<MediaRecord | undefined> {
    return this.records.findMedia(tenant, mediaId);
  }

  /**
   * Stores a file that the gateway itself has made for a session. One that is stored already stays.
   * @throws GatewayError QUOTA_EXCEEDED, STORE_UNAVAILABLE
   */
  async keep({ tenant, id: sessionId, agent }: Session, { mediaId, mimeType, bytes }: MadeFile): Promise<void> {
    if (await this.find(tenant, mediaId)) return;
    const principal = `agent:${agent}/${sessionId}`;
    const since = this.clock.now() - DAY_MS;
    await this.blobs.put(mediaId, once(bytes));
    const record = { mediaId, tenant, principal, mimeType, sizeBytes: bytes.byteLength, createdAt: this.clock.now() };
    if (!(await this.records.addMedia(record, { since, maxBytes: this.maxBytesOf(tenant) }))) {
      await this.blobs.remove(mediaId);
      throw this.exceeded(await this.records.sumUploads(tenant, principal, since));
    }
    await this.records.assignMedia([mediaId], sessionId);
  }

  /** Deletes files that nothing names any more. */
  async discard(mediaIds: readonly string[]): Promise<void> {
    for (const mediaId of mediaIds) await this.blobs.remove(mediaId);
    await this.records.forgetMedia(mediaIds);
  }

  /** Opens the bytes of a file. @throws GatewayError NOT_FOUND when they are gone */
  async openStream({ mediaId }: MediaRecord): Promise<AsyncIterable<Uint8Array>> {
    const stream = await this.blobs.get(mediaId);
    if (!stream) throw new GatewayError('NOT_FOUND', { what: `media ${mediaId}` });
    return stream;
  }

  /** Reads all bytes of a file. @throws GatewayError NOT_FOUND when they are gone */
  async readBytes(record: MediaRecord): Promise<Uint8Array> {
    return buffer(await this.openStream(record));
  }

  /**
   * Assigns the files that a message names to its session.
   * @throws GatewayError INVALID_PAYLOAD when one does not exist for this caller
   */
  async assign(principal: Principal, attachments: readonly Attachment[], sessionId: string): Promise<void> {
    const mediaIds: string[] = [];
    for (const [i, { media_id: mediaId }] of attachments.entries()) {
      if (mediaId === undefined) continue;
      await this.getReadable(principal, mediaId).catch((error: unknown) => {
        if (!(error instanceof GatewayError) || error.code !== 'NOT_FOUND') throw error;
        const fault = { pointer: `/attachments/${i}/media_id`, message: 'is not a file that you uploaded or may read' };
        throw new GatewayError('INVALID_PAYLOAD', { faults: [fault] });
      });
      mediaIds.push(mediaId);
    }
    if (mediaIds.length > 0) await this.records.assignMedia(mediaIds, sessionId);
  }

  /** Assigns an upload to a session. */
  async give(mediaId: string, sessionId: string): Promise<void> {
    await this.records.assignMedia([mediaId], sessionId);
  }

  /** Deletes some files that are no longer needed. Resolves with whether there may be more. */
  async sweep(): Promise<boolean> {
    const expired = await this.records.listExpiredMedia(this.clock.now() - UNCLAIMED_FOR_MS);
    if (expired.length === 0) return false;
    // Blobs first: a crash in between leaves a record to retry, and not a blob without a record.
    for (const mediaId of expired) await this.blobs.remove(mediaId);
    await this.records.forgetMedia(expired);
    return true;
  }

  /**
   * Deletes stored files without a record, which a crash between the two leaves. Newer files are passed over: the record
   * of an upload under way is still to come.
   */
  async reconcile(): Promise<void> {
    const keys: string[] = [];
    const removeUnknown = async () => {
      for (const mediaId of await this.records.listUnknownMedia(keys.splice(0))) await this.blobs.remove(mediaId);
    };
    for await (const key of this.blobs.list(this.clock.now() - HOUR_MS)) {
      if (MEDIA_ID.test(key) && keys.push(key) >= RECONCILE_PORTION) await removeUnknown();
    }
    await removeUnknown();
  }

  /** Bytes that each principal of a tenant may upload in a day. */
  private maxBytesOf(tenant: string): number {
    return readLimit(this.config, tenant, 'media_bytes_per_day');
  }

  private exceeded({ oldestAt }: UploadSum): GatewayError {
    const resetsAt = (oldestAt ?? this.clock.now()) + DAY_MS;
    return new GatewayError('QUOTA_EXCEEDED', { quota: 'limits.media_bytes_per_day', resets_at: resetsAt });
  }

  /** Checks an upload while its bytes pass through; size and type are known at the end. */
  private admit(body: AsyncIterable<Uint8Array>): Admission {
    const limit = this.config.get('media.max_bytes');
    const checkType = (head: Uint8Array) => this.checkType(head);
    const admission: Admission = { body: pass(), sizeBytes: 0, mimeType: '' };
    async function* pass(): AsyncGenerator<Uint8Array> {
      let head: Uint8Array = new Uint8Array();
      for await (const chunk of body) {
        admission.sizeBytes += chunk.byteLength;
        if (admission.sizeBytes > limit)
          throw new UploadRefusedError('too-large', `a file may have at most ${limit} bytes (media.max_bytes)`);
        if (admission.mimeType === '') {
          head = Buffer.concat([head, chunk]);
          if (head.byteLength >= SNIFF_BYTES) admission.mimeType = await checkType(head);
        }
        yield chunk;
      }
      if (admission.sizeBytes === 0) throw new UploadRefusedError('empty', 'the file is empty');
      if (admission.mimeType === '') admission.mimeType = await checkType(head);
    }
    return admission;
  }

  private async checkType(head: Uint8Array): Promise<string> {
    const allowed = this.config.get('media.types');
    const mimeType = await detectMediaType(head);
    if (mimeType !== undefined && allowed.includes(mimeType)) return mimeType;
    throw new UploadRefusedError(
      'type-not-allowed',
      `its content is ${mimeType ?? 'of an unknown type'}; allowed: ${allowed.join(', ')}`,
    );
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
