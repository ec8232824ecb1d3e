import type { ClientKey, FollowedPosition, FramePage, SessionCursor } from '../../../core/store/index.js';
import { prepare } from './statement.js';
import type { TableState } from '../state/table-state.js';

/** The operations of `FrameStore`. */
export class FrameOperations {
  private readonly advanceCursor;
  private readonly selectCursor;
  private readonly selectCursors;
  private readonly selectFollowed;

  constructor(private readonly tables: TableState) {
    const { database } = tables;
    this.advanceCursor = prepare(
      database,
      `INSERT INTO cursors (client, session, seq) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`,
    );
    this.selectCursor = prepare<{ seq: number }>(database, 'SELECT seq FROM cursors WHERE client = ? AND session = ?');
    this.selectFollowed = prepare<{ session: number; sessionId: string }>(
      database,
      `SELECT session, id AS sessionId FROM sessions WHERE oldest_frame_at IS NOT NULL AND tenant = ?2 AND channel = ?3
       AND NOT EXISTS (SELECT 1 FROM cursors WHERE client = ?1 AND cursors.session = sessions.session)`,
    );
    this.selectCursors = prepare<SessionCursor & { session: number }>(
      database,
      'SELECT session, sessions.id AS sessionId, seq FROM cursors JOIN sessions USING (session) WHERE client = ?',
    );
  }

  read(sessionId: string, afterSeq: number, maxFrames: number, maxBytes: number): FramePage {
    const { directory, log } = this.tables;
    const entry = directory.findSession(sessionId);
    if (!entry) return { frames: [], headSeq: 0, firstSeq: 1 };
    return log.readPage(entry.session, sessionId, afterSeq, maxFrames, maxBytes);
  }

  hasFrame(sessionId: string, seq: number, epoch: string): boolean {
    const entry = this.tables.directory.findSession(sessionId);
    return entry === undefined ? seq === 0 : this.tables.log.hasFrame(entry.session, seq, epoch);
  }

  readHeads(sessionIds: readonly string[]): SessionCursor[] {
    const { directory, log } = this.tables;
    return sessionIds.flatMap((sessionId) => {
      const entry = directory.findSession(sessionId);
      return entry ? [{ sessionId, seq: log.head(entry.session) }] : [];
    });
  }

  moveCursor(key: ClientKey, sessionId: string, seq: number): void {
    const { directory, log } = this.tables;
    const entry = directory.findSession(sessionId);
    if (!entry) return;
    const client = directory.findClient(key) ?? directory.addClient(key);
    this.advanceCursor.run(client, entry.session, Math.min(seq, log.head(entry.session)));
  }

  listResumable(key: ClientKey, channels: readonly string[] = []): SessionCursor[] {
    const { directory, log, open } = this.tables;
    const client = directory.findClient(key);
    if (client === undefined) return [];
    const own = this.selectCursors.all(client);
    const followed = channels
      .flatMap((channel) => this.selectFollowed.all(client, key.tenant, channel))
      .map((row) => ({ ...row, seq: this.positionOf(client, row.session) }));
    return [...own, ...followed].flatMap(({ session, sessionId, seq }) => {
      if (log.head(session) <= seq && !open.hasUnfinished(client, session)) return [];
      return [{ sessionId, seq }];
    });
  }

  noteFollower(now: number, key: ClientKey): void {
    const { directory } = this.tables;
    directory.followers.note(directory.findClient(key) ?? directory.addClient(key), now);
  }

  findPosition(key: ClientKey, sessionId: string): FollowedPosition {
    const { directory, log } = this.tables;
    const [client, entry] = [directory.findClient(key), directory.findSession(sessionId)];
    if (!entry) return { seq: 0, headSeq: 0 };
    const headSeq = log.head(entry.session);
    return { seq: client === undefined ? headSeq : this.positionOf(client, entry.session), headSeq };
  }

  /** Returns the cursor of a client, or where a client that follows channels starts. */
  private positionOf(client: number, session: number): number {
    const { directory, log } = this.tables;
    const cursor = this.selectCursor.get(client, session)?.seq;
    return cursor ?? directory.followers.startIn(client, session) ?? log.head(session);
  }
}
