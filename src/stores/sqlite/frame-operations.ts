import type { ClientKey, FramePage, SessionCursor } from '../../core/store/index.js';
import type { TableState } from './table-state.js';

/** Reading the session logs, and how far each client has confirmed them. */
export class FrameOperations {
  private readonly advanceCursor;
  private readonly selectCursors;

  constructor(private readonly tables: TableState) {
    const { database } = tables;
    this.advanceCursor = database.prepare(
      `INSERT INTO cursors (client, session, seq) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`,
    );
    this.selectCursors = database.prepare(
      'SELECT session, sessions.id AS sessionId, seq FROM cursors JOIN sessions USING (session) WHERE client = ?',
    );
  }

  readFrames(_now: number, sessionId: string, afterSeq: number, maxFrames: number, maxBytes: number): FramePage {
    const { directory, log } = this.tables;
    const entry = directory.findSession(sessionId);
    if (!entry) return { frames: [], headSeq: 0, firstSeq: 1 };
    return log.readPage(entry.session, sessionId, afterSeq, maxFrames, maxBytes);
  }

  readHeads(_now: number, sessionIds: readonly string[]): SessionCursor[] {
    const { directory, log } = this.tables;
    return sessionIds.flatMap((sessionId) => {
      const entry = directory.findSession(sessionId);
      return entry ? [{ sessionId, seq: log.head(entry.session) }] : [];
    });
  }

  moveCursor(_now: number, { tenant, principal, clientId }: ClientKey, sessionId: string, seq: number): void {
    const { directory, log } = this.tables;
    const entry = directory.findSession(sessionId);
    if (!entry) return;
    const client =
      directory.findClient(tenant, principal, clientId) ?? directory.addClient(tenant, principal, clientId);
    this.advanceCursor.run(client, entry.session, Math.min(seq, log.head(entry.session)));
  }

  listResumable(_now: number, { tenant, principal, clientId }: ClientKey): SessionCursor[] {
    const { directory, log, open } = this.tables;
    const client = directory.findClient(tenant, principal, clientId);
    if (client === undefined) return [];
    return this.selectCursors.all(client).flatMap((row) => {
      const session = row['session'] as number;
      const seq = row['seq'] as number;
      if (log.head(session) <= seq && !open.hasUnfinished(client, session)) return [];
      return [{ sessionId: row['sessionId'] as string, seq }];
    });
  }
}
