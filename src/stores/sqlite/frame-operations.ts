import type { ClientKey, FramePage, SessionCursor } from '../../core/store/index.js';
import { prepare } from './rows.js';
import type { TableState } from './table-state.js';

/** The operations of `FrameStore`. */
export class FrameOperations {
  private readonly advanceCursor;
  private readonly selectCursors;

  constructor(private readonly tables: TableState) {
    const { database } = tables;
    this.advanceCursor = prepare(
      database,
      `INSERT INTO cursors (client, session, seq) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`,
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

  listResumable(key: ClientKey): SessionCursor[] {
    const { directory, log, open } = this.tables;
    const client = directory.findClient(key);
    if (client === undefined) return [];
    return this.selectCursors.all(client).flatMap(({ session, sessionId, seq }) => {
      if (log.head(session) <= seq && !open.hasUnfinished(client, session)) return [];
      return [{ sessionId, seq }];
    });
  }
}
