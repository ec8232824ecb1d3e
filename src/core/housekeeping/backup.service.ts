import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { noteOfBackup, noteOfCompletedBackup } from '../audit/audit-notes.js';
import { StopStep } from '../lifecycle/steps.js';
import { VERSION } from '../lifecycle/version.js';
import { BlobStore } from '../media/blob.store.js';
import { AuditStore, BackupStore, type StoreCopyFile } from '../store/index.js';
import { Clock } from '../time/clock.js';
import { DATABASE_FILE, MANIFEST_FILE, MEDIA_FOLDER, type BackupManifest } from './backup-manifest.js';
import { HousekeepingService } from './housekeeping.service.js';
import { LastBackupService } from './last-backup.service.js';
import { TAR_END, tarHeader, tarPadding } from './tar.js';

type FileOfBackup = BackupManifest['files'][number];

/** Another backup is being made: there is one at a time. */
export class BackupUnderWayError extends Error {
  override readonly name = 'BackupUnderWayError';

  constructor() {
    super('Another backup is being made; try again when it is complete');
  }
}

/** Makes backups: a tar archive of the store, the uploaded files that its rows name, and a manifest at the end. */
@Injectable()
export class BackupService {
  /** Settles when the backup under way has removed what it made; undefined while there is none. */
  private ended: Promise<void> | undefined;

  /** @param store undefined for a store of a team that makes no copies */
  // oxlint-disable-next-line max-params -- what a backup has, and what must not delete any of it
  constructor(
    // Named, because the type of an optional one is not seen at run time.
    @Optional() @Inject(BackupStore) private readonly store: BackupStore | undefined,
    private readonly blobs: BlobStore,
    private readonly audit: AuditStore,
    private readonly housekeeping: HousekeepingService,
    private readonly last: LastBackupService,
    private readonly clock: Clock,
  ) {}

  /**
   * Streams a backup. Nothing that is stored is deleted until the stream ends or is returned from. Throws in the middle when
   * it cannot be completed.
   * @param signal ends it while the store is copied
   * @throws BackupUnderWayError
   * @throws GatewayError FORBIDDEN if this store has none, or no room for one; STORE_UNAVAILABLE
   */
  async *create(by: { readonly principal: string }, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { store } = this;
    if (!store) throw new GatewayError('FORBIDDEN', { reason: 'this store has no backups of the gateway' });
    if (this.ended) throw new BackupUnderWayError();
    const { promise, resolve: end } = Promise.withResolvers<void>();
    this.ended = promise;
    try {
      yield* this.createAlone(store, by, signal);
    } finally {
      this.ended = undefined;
      end();
    }
  }

  private async *createAlone(
    store: BackupStore,
    by: { readonly principal: string },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    const resume = await this.housekeeping.pause();
    let copy: StoreCopyFile | undefined;
    try {
      await this.audit.recordAudit(noteOfBackup(by));
      copy = await store.copy(signal);
      yield* this.write(copy);
      await this.audit.recordAudit(noteOfCompletedBackup(by));
      await this.last.read();
    } finally {
      resume();
      await copy?.remove();
    }
  }

  /** The connections are closed, which has ended a backup. What it made goes before the process does. */
  @StopStep({ name: 'remove what a backup has made', phase: 'release' })
  async stop(): Promise<void> {
    await this.ended;
  }

  private async *write(copy: StoreCopyFile): AsyncGenerator<Uint8Array> {
    const files: FileOfBackup[] = [];
    const missing: string[] = [];
    const createdAt = this.clock.now();
    files.push(yield* this.writeFile(DATABASE_FILE, copy.sizeBytes, createReadStream(copy.path)));
    for (const { mediaId, sizeBytes } of copy.media) {
      const blob = await this.blobs.get(mediaId);
      if (blob) files.push(yield* this.writeFile(`${MEDIA_FOLDER}${mediaId}`, sizeBytes, blob));
      else missing.push(mediaId);
    }
    const manifest: BackupManifest = {
      format: 1,
      gateway: VERSION,
      created_at: createdAt,
      schema_version: copy.schemaVersion,
      log_epoch: copy.logEpoch,
      counts: copy.counts,
      audit: { entry: copy.audit.sequence, hash: copy.audit.hash },
      files,
      missing,
    };
    const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
    yield* this.writeFile(MANIFEST_FILE, text.length, [text]);
    yield TAR_END;
  }

  private async *writeFile(
    name: string,
    size: number,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, FileOfBackup> {
    const digest = createHash('sha256');
    let written = 0;
    yield tarHeader(name, size, this.clock.now());
    for await (const chunk of content) {
      digest.update(chunk);
      written += chunk.length;
      yield chunk;
    }
    if (written !== size) throw new Error(`${name} has ${written} bytes, and not ${size}`);
    yield tarPadding(size);
    return { name, size, sha256: digest.digest('hex') };
  }
}
