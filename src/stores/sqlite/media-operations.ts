import type { DatabaseSync } from 'node:sqlite';
import type { MediaRecord } from '../../core/store/index.js';
import { prepare } from './rows.js';

/** Files per list of expired ones. */
const MAX_EXPIRED = 100;

type Columns = Omit<MediaRecord, 'sessionId'> & { readonly sessionId: string | null };

/** The operations of `MediaStore`. */
export class MediaOperations {
  private readonly insert;
  private readonly select;
  private readonly setSession;
  private readonly selectExpired;
  private readonly remove;

  constructor(database: DatabaseSync) {
    this.insert = prepare(
      database,
      'INSERT INTO media (media_id, tenant, principal, mime_type, size_bytes, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.select = prepare<Columns>(
      database,
      `SELECT media_id AS mediaId, tenant, principal, session_id AS sessionId, mime_type AS mimeType,
         size_bytes AS sizeBytes, created_at AS createdAt
       FROM media WHERE media_id = ?`,
    );
    this.setSession = prepare(database, 'UPDATE media SET session_id = ? WHERE media_id = ? AND session_id IS NULL');
    this.selectExpired = prepare<{ mediaId: string }>(
      database,
      `SELECT media_id AS mediaId FROM media WHERE (session_id IS NULL AND created_at < ?1)
         OR (session_id IS NOT NULL AND created_at < ?1 AND session_id NOT IN (SELECT id FROM sessions)) LIMIT ${MAX_EXPIRED}`,
    );
    this.remove = prepare(database, 'DELETE FROM media WHERE media_id = ?');
  }

  add({ mediaId, tenant, principal, mimeType, sizeBytes, createdAt }: MediaRecord): void {
    this.insert.run(mediaId, tenant, principal, mimeType, sizeBytes, createdAt);
  }

  find(tenant: string, mediaId: string): MediaRecord | undefined {
    const row = this.select.get(mediaId);
    if (row?.tenant !== tenant) return undefined;
    const { sessionId, ...record } = row;
    return { ...record, ...(sessionId !== null && { sessionId }) };
  }

  assign(mediaIds: readonly string[], sessionId: string): void {
    for (const mediaId of mediaIds) this.setSession.run(sessionId, mediaId);
  }

  /**
   * A session is created after the uploads of its first message, so a missing session means nothing for a recent
   * upload.
   */
  listExpired(unclaimedBefore: number): string[] {
    return this.selectExpired.all(unclaimedBefore).map(({ mediaId }) => mediaId);
  }

  forget(mediaIds: readonly string[]): void {
    for (const mediaId of mediaIds) this.remove.run(mediaId);
  }
}
