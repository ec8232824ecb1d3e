import type { DatabaseSync } from 'node:sqlite';
import type { MediaRecord } from '../../core/store/index.js';

/** Files that are looked at in one go. */
const EXPIRED_AT_ONCE = 100;

/** What is known of uploaded files. */
export class MediaOperations {
  private readonly insert;
  private readonly select;
  private readonly assign;
  private readonly selectExpired;
  private readonly remove;

  constructor(database: DatabaseSync) {
    this.insert = database.prepare(
      'INSERT INTO media (media_id, tenant, principal, mime_type, size_bytes, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.select = database.prepare('SELECT * FROM media WHERE media_id = ?');
    this.assign = database.prepare('UPDATE media SET session_id = ? WHERE media_id = ? AND session_id IS NULL');
    this.selectExpired = database.prepare(
      `SELECT media_id FROM media WHERE (session_id IS NULL AND created_at < ?)
         OR (session_id IS NOT NULL AND created_at < ? AND session_id NOT IN (SELECT id FROM sessions)) LIMIT ${EXPIRED_AT_ONCE}`,
    );
    this.remove = database.prepare('DELETE FROM media WHERE media_id = ?');
  }

  addMedia(_now: number, { mediaId, tenant, principal, mimeType, sizeBytes, createdAt }: MediaRecord): void {
    this.insert.run(mediaId, tenant, principal, mimeType, sizeBytes, createdAt);
  }

  findMedia(_now: number, tenant: string, mediaId: string): MediaRecord | undefined {
    const row = this.select.get(mediaId);
    if (row?.['tenant'] !== tenant) return undefined;
    const sessionId = row['session_id'] as string | null;
    return {
      mediaId,
      tenant,
      principal: row['principal'] as string,
      mimeType: row['mime_type'] as string,
      sizeBytes: row['size_bytes'] as number,
      createdAt: row['created_at'] as number,
      ...(sessionId !== null && { sessionId }),
    };
  }

  assignMedia(_now: number, mediaIds: readonly string[], sessionId: string): void {
    for (const mediaId of mediaIds) this.assign.run(sessionId, mediaId);
  }

  /** A session is made with its first message: until a while after the upload its absence proves nothing. */
  listExpiredMedia(_now: number, unclaimedBefore: number): string[] {
    return this.selectExpired.all(unclaimedBefore, unclaimedBefore).map((row) => row['media_id'] as string);
  }

  forgetMedia(_now: number, mediaIds: readonly string[]): void {
    for (const mediaId of mediaIds) this.remove.run(mediaId);
  }
}
