import type { DatabaseSync } from 'node:sqlite';
import type { MediaRecord, UploadQuota, UploadSum } from '../../../core/store/index.js';
import { prepare, required } from './statement.js';

/** Unclaimed files per list of expired ones. */
const MAX_EXPIRED = 100;
/** Files that one list visits for those whose session is gone. */
const MAX_VISITED = 500;

type Columns = Omit<MediaRecord, 'sessionId'> & { readonly sessionId: string | null };

/** The operations of `MediaStore`. */
export class MediaOperations {
  private readonly insert;
  private readonly select;
  private readonly selectSum;
  private readonly setSession;
  private readonly selectUnclaimed;
  private readonly visit;
  private readonly remove;
  /** The last file that the scan for gone sessions has visited. */
  private visitedTo = '';

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
    this.selectSum = prepare<{ bytes: number; oldestAt: number | null }>(
      database,
      `SELECT coalesce(sum(size_bytes), 0) AS bytes, min(created_at) AS oldestAt FROM media
       WHERE tenant = ? AND principal = ? AND created_at > ?`,
    );
    this.setSession = prepare(database, 'UPDATE media SET session_id = ? WHERE media_id = ? AND session_id IS NULL');
    this.selectUnclaimed = prepare<{ mediaId: string }>(
      database,
      `SELECT media_id AS mediaId FROM media WHERE session_id IS NULL AND created_at < ? LIMIT ${MAX_EXPIRED}`,
    );
    this.visit = prepare<{ mediaId: string; isOrphan: number }>(
      database,
      `SELECT media_id AS mediaId, session_id IS NOT NULL AND created_at < ? AND session_id NOT IN (SELECT id FROM sessions)
         AS isOrphan FROM media WHERE media_id > ? ORDER BY media_id LIMIT ${MAX_VISITED}`,
    );
    this.remove = prepare(database, 'DELETE FROM media WHERE media_id = ?');
  }

  add(record: MediaRecord, { since, maxBytes }: UploadQuota): boolean {
    const { mediaId, tenant, principal, mimeType, sizeBytes, createdAt } = record;
    if (this.sum(tenant, principal, since).bytes + sizeBytes > maxBytes) return false;
    this.insert.run(mediaId, tenant, principal, mimeType, sizeBytes, createdAt);
    return true;
  }

  sum(tenant: string, principal: string, since: number): UploadSum {
    const { bytes, oldestAt } = required(this.selectSum.get(tenant, principal, since));
    return { bytes, oldestAt: oldestAt ?? undefined };
  }

  listUnknown(mediaIds: readonly string[]): string[] {
    return mediaIds.filter((mediaId) => this.select.get(mediaId) === undefined);
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

  listExpired(unclaimedBefore: number): string[] {
    const unclaimed = this.selectUnclaimed.all(unclaimedBefore).map(({ mediaId }) => mediaId);
    return [...unclaimed, ...this.listOrphans(unclaimedBefore)];
  }

  /**
   * Continues the scan for files whose session is gone. A session is created after the uploads of its first message, so a
   * missing session means nothing for a recent upload.
   */
  private listOrphans(before: number): string[] {
    const visited = this.visit.all(before, this.visitedTo);
    this.visitedTo = visited.length < MAX_VISITED ? '' : (visited.at(-1)?.mediaId ?? '');
    return visited.filter(({ isOrphan }) => isOrphan === 1).map(({ mediaId }) => mediaId);
  }

  forget(mediaIds: readonly string[]): void {
    for (const mediaId of mediaIds) this.remove.run(mediaId);
  }
}
