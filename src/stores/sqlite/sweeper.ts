import type { SweepLimits } from '../../core/store/index.js';
import { prepare } from './rows.js';
import type { TableState } from './table-state.js';

/** Approximate limit of rows that a part of the store deletes per call, so that housekeeping does not delay commits. */
export const MAX_SWEEP_ROWS = 1_000;

/** The tables with rows of a message, under its `ord`. */
const TABLES_OF_MESSAGES = ['journal', 'replies', 'reactions', 'superseded', 'messages'];

const LAST_ACTIVE = `coalesce(
  (SELECT received_at FROM messages WHERE messages.session = sessions.session ORDER BY ord DESC LIMIT 1), created_at)`;

const DELETE_MEMORIES = `DELETE FROM memories WHERE memory IN
  (SELECT memory FROM sessions JOIN memories ON collection = id AND memories.tenant = sessions.tenant WHERE session = ? LIMIT ?)`;

const DELETE_APPROVALS = `DELETE FROM approvals WHERE approval IN
  (SELECT approval FROM sessions JOIN approvals ON session_id = id WHERE session = ? LIMIT ?)`;

/** Deletes expired frames, journals of finished turns and idle sessions, in portions. */
export class Sweeper {
  private readonly statements;
  /** Rows that this call may still delete. */
  private budget = 0;
  /** Number of the last session that the scan for idle sessions has visited. */
  private walkedTo = 0;

  constructor(private readonly tables: TableState) {
    const { database } = tables;
    this.statements = {
      aged: prepare<{ session: number }>(
        database,
        'SELECT session FROM sessions WHERE oldest_frame_at < ? ORDER BY oldest_frame_at LIMIT ?',
      ),
      // Keeps frames of unfinished messages, which the run that resumes them needs.
      firstKept: prepare<{ seq: number }>(
        database,
        `SELECT seq FROM frames WHERE session = ? AND seq <= ?
           AND (timestamp >= ? OR EXISTS (SELECT 1 FROM queue WHERE queue.ord = frames.ord)) ORDER BY seq LIMIT 1`,
      ),
      deleteFrames: prepare(database, 'DELETE FROM frames WHERE session = ? AND seq <= ?'),
      oldestFrame: prepare<{ timestamp: number }>(
        database,
        'SELECT timestamp FROM frames WHERE session = ? ORDER BY seq LIMIT 1',
      ),
      markSwept: prepare(database, 'UPDATE sessions SET swept_seq = ?, oldest_frame_at = ? WHERE session = ?'),
      journals: prepare<{ ord: number; receivedAt: number }>(
        database,
        'SELECT DISTINCT ord, received_at AS receivedAt FROM journal JOIN messages USING (ord) ORDER BY ord',
      ),
      deleteJournal: prepare(database, 'DELETE FROM journal WHERE ord = ?'),
      idle: prepare<{ session: number }>(
        database,
        `SELECT session FROM sessions WHERE session > ? AND session <= ? AND ${LAST_ACTIVE} < ?
           AND session NOT IN (SELECT session FROM queue) ORDER BY session LIMIT 1`,
      ),
      lastSession: prepare<{ session: number | null }>(database, 'SELECT max(session) AS session FROM sessions'),
      messages: prepare<{ ord: number }>(database, 'SELECT ord FROM messages WHERE session = ? ORDER BY ord LIMIT ?'),
      deleteMessage: TABLES_OF_MESSAGES.map((table) => prepare(database, `DELETE FROM ${table} WHERE ord = ?`)),
      raiseSweptOrd: prepare(database, 'UPDATE gateway SET swept_ord = max(swept_ord, ?)'),
      clients: prepare<{ client: number }>(database, 'SELECT client FROM cursors WHERE session = ?'),
      deleteMemories: prepare(database, DELETE_MEMORIES),
      deleteApprovals: prepare(database, DELETE_APPROVALS),
      deleteCursors: prepare(database, 'DELETE FROM cursors WHERE session = ?'),
      deleteParticipants: prepare(database, 'DELETE FROM participants WHERE session = ?'),
      deleteSession: prepare(database, 'DELETE FROM sessions WHERE session = ?'),
      deleteClient: prepare(
        database,
        `DELETE FROM clients WHERE client = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE client = ?1)
           AND NOT EXISTS (SELECT 1 FROM cursors WHERE client = ?1)`,
      ),
    };
  }

  /** Deletes a portion. Returns true if there is more. */
  sweep(now: number, limits: SweepLimits): boolean {
    this.budget = MAX_SWEEP_ROWS;
    this.sweepFrames(limits.framesBefore, now);
    this.sweepJournals(limits.dedupeBefore);
    if (limits.sessionsBefore === undefined) return this.budget <= 0;
    // A session's messages also serve to recognise duplicates, so it stays for that time at least.
    this.sweepSessions(Math.min(limits.sessionsBefore, limits.dedupeBefore));
    return this.budget <= 0 || this.walkedTo > 0;
  }

  private sweepFrames(before: number, now: number): void {
    for (const { session } of this.statements.aged.all(before, MAX_SWEEP_ROWS)) {
      if (this.budget <= 0) return;
      const reach = Math.min(this.tables.log.head(session), this.tables.log.sweptSeq(session) + this.budget);
      const kept = this.statements.firstKept.get(session, reach, before)?.seq;
      this.deleteFramesTo(session, kept === undefined ? reach : kept - 1);
      const oldest = this.statements.oldestFrame.get(session)?.timestamp;
      // Old frames that remain belong to an unfinished message; revisit the session one retention period from now.
      if (oldest !== undefined && oldest < before && this.budget > 0) this.markSwept(session, now);
      this.budget--;
    }
  }

  /** Deletes the frames of a session up to `seq`, within the budget. */
  private deleteFramesTo(session: number, seq: number): void {
    const sweptSeq = this.tables.log.sweptSeq(session);
    const upTo = Math.min(seq, sweptSeq + Math.max(0, this.budget));
    if (upTo > sweptSeq) {
      this.tables.log.keepEpoch(session, upTo);
      this.budget -= Number(this.statements.deleteFrames.run(session, upTo).changes);
    }
    const oldest = this.statements.oldestFrame.get(session)?.timestamp;
    this.statements.markSwept.run(Math.max(upTo, sweptSeq), oldest ?? null, session);
    this.tables.log.forget(session);
  }

  private markSwept(session: number, oldestFrameAt: number): void {
    this.statements.markSwept.run(this.tables.log.sweptSeq(session), oldestFrameAt, session);
  }

  private sweepJournals(before: number): void {
    const { lanes } = this.tables.open;
    const finished: number[] = [];
    for (const { ord, receivedAt } of this.statements.journals.iterate()) {
      // Messages were received in the order of their ords, so later rows are not older.
      if (receivedAt >= before || finished.length >= this.budget) break;
      if (!lanes.find(ord)) finished.push(ord);
    }
    for (const ord of finished) {
      if (this.budget <= 0) return;
      this.budget -= Number(this.statements.deleteJournal.run(ord).changes);
    }
  }

  /** Continues the scan of the sessions; resets `walkedTo` to 0 at the end. */
  private sweepSessions(before: number): void {
    const walkTo = this.walkedTo + MAX_SWEEP_ROWS;
    while (this.budget > 0) {
      const row = this.statements.idle.get(this.walkedTo, walkTo, before);
      if (!row) {
        const last = this.statements.lastSession.get()?.session ?? 0;
        this.walkedTo = walkTo < last ? walkTo : 0;
        return;
      }
      if (this.deleteSession(row.session)) this.walkedTo = row.session;
    }
  }

  /** Deletes a session with all its data, within the budget. Returns true when it is gone. */
  private deleteSession(session: number): boolean {
    const { directory, log } = this.tables;
    this.deleteFramesTo(session, log.head(session));
    if (this.budget <= 0) return false;
    const ords = this.statements.messages.all(session, this.budget).map(({ ord }) => ord);
    for (const ord of ords) {
      for (const statement of this.statements.deleteMessage) statement.run(ord);
    }
    this.statements.raiseSweptOrd.run(ords.at(-1) ?? 0);
    this.budget -= ords.length + 1;
    if (this.budget <= 0) return false;
    this.budget -= Number(this.statements.deleteMemories.run(session, this.budget).changes);
    if (this.budget <= 0) return false;
    this.budget -= Number(this.statements.deleteApprovals.run(session, this.budget).changes);
    if (this.budget <= 0) return false;
    const clients = this.statements.clients.all(session).map(({ client }) => client);
    this.statements.deleteCursors.run(session);
    this.statements.deleteParticipants.run(session);
    this.statements.deleteSession.run(session);
    for (const client of clients) this.statements.deleteClient.run(client);
    directory.forgetAll();
    log.forget(session);
    return true;
  }
}
