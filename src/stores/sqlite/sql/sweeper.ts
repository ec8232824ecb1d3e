import type { DatabaseSync } from 'node:sqlite';
import type { SweepLimits } from '../../../core/store/index.js';
import { prepare } from './statement.js';
import { LAST_ACTIVE } from './session-operations.js';
import { MAX_STEP_ROWS, SweepBudget } from './sweep-budget.js';
import type { TableState } from '../state/table-state.js';

/** The tables with rows of a message, under its `ord`. */
const TABLES_OF_MESSAGES = ['journal', 'replies', 'reactions', 'superseded', 'messages'];

const DELETE_MEMORIES = `DELETE FROM memories WHERE memory IN
  (SELECT memory FROM sessions JOIN memories ON collection = id AND memories.tenant = sessions.tenant WHERE session = ? LIMIT ?)`;

const DELETE_APPROVALS = `DELETE FROM approvals WHERE approval IN
  (SELECT approval FROM sessions JOIN approvals ON session_id = id WHERE session = ? LIMIT ?)`;

const DELETE_SURFACES = `DELETE FROM canvas_surfaces WHERE surface IN
  (SELECT surface FROM sessions JOIN canvas_surfaces ON session_id = id WHERE session = ? LIMIT ?)`;

const DELETE_STATES = `DELETE FROM canvas_states WHERE state IN
  (SELECT state FROM sessions JOIN canvas_states ON session_id = id WHERE session = ? LIMIT ?)`;

/** Deletes expired frames, journals of finished turns and idle sessions, in portions. */
export class Sweeper {
  private readonly statements;
  /** The rest of the time of this call. */
  private budget: SweepBudget;
  /** This call has deleted a session. */
  private hasDeletedSession = false;
  /** Number of the last session that the scan for idle sessions has visited. */
  private walkedTo = 0;

  /** @param elapsed returns milliseconds since an arbitrary moment */
  constructor(
    private readonly tables: TableState,
    private readonly elapsed: () => number = () => performance.now(),
  ) {
    this.budget = new SweepBudget(elapsed);
    this.statements = { ...prepareSearch(tables.database), ...prepareDeletion(tables.database) };
  }

  /** Deletes a portion. Returns true if there is more. */
  sweep(now: number, limits: SweepLimits, budget = new SweepBudget(this.elapsed)): boolean {
    this.budget = budget;
    this.hasDeletedSession = false;
    // A session's messages also serve to recognise duplicates, so it stays for that time at least.
    const { framesBefore, dedupeBefore, sessionsBefore } = limits;
    const isDone =
      this.sweepFrames(framesBefore, now) &&
      this.sweepJournals(dedupeBefore) &&
      this.sweepFollowers(dedupeBefore) &&
      (sessionsBefore === undefined || this.sweepSessions(Math.min(sessionsBefore, dedupeBefore)));
    if (this.hasDeletedSession) this.tables.directory.forgetAll();
    return !isDone;
  }

  /**
   * Deletes a portion of a session that nothing needs any more. Returns true when it is gone.
   * @param endedAt set if clients may still know the log: one with the same ID continues it
   */
  end(sessionId: string, budget: SweepBudget, endedAt?: number): boolean {
    this.budget = budget;
    const session = this.tables.directory.findSession(sessionId)?.session;
    if (session === undefined) return true;
    if (this.statements.waits.get(session)) return false;
    const isGone = this.deleteSession(session, endedAt);
    this.tables.directory.forgetAll();
    return isGone;
  }

  private sweepFrames(before: number, now: number): boolean {
    for (;;) {
      const aged = this.statements.aged.all(before, MAX_STEP_ROWS);
      for (const { session } of aged) {
        if (!this.budget.repeat(() => this.sweepFramesOf(session, before, now)) || this.budget.isOver) return false;
      }
      if (aged.length < MAX_STEP_ROWS) return true;
    }
  }

  /** Deletes the next expired frames of a session. Returns how many. */
  private sweepFramesOf(session: number, before: number, now: number): number {
    const reach = this.nextReach(session);
    const kept = this.statements.firstKept.get(session, reach, before)?.seq;
    const rows = this.deleteFrames(session, kept === undefined ? reach : kept - 1);
    const oldest = this.statements.oldestFrame.get(session)?.timestamp;
    // Old frames that remain belong to an unfinished message; revisit the session one retention period from now.
    if (kept !== undefined && oldest !== undefined && oldest < before) this.markSwept(session, now);
    return rows;
  }

  /** Returns the seq up to which one step deletes the frames of a session. */
  private nextReach(session: number): number {
    return Math.min(this.tables.log.head(session), this.tables.log.sweptSeq(session) + MAX_STEP_ROWS);
  }

  /** Deletes the frames of a session up to `seq`. Returns how many. */
  private deleteFrames(session: number, seq: number): number {
    const sweptSeq = this.tables.log.sweptSeq(session);
    if (seq > sweptSeq) this.tables.log.keepEpoch(session, seq);
    const rows = seq > sweptSeq ? Number(this.statements.deleteFrames.run(session, seq).changes) : 0;
    const oldest = this.statements.oldestFrame.get(session)?.timestamp;
    this.statements.markSwept.run(Math.max(seq, sweptSeq), oldest ?? null, session);
    this.tables.log.forget(session);
    return rows;
  }

  private markSwept(session: number, oldestFrameAt: number): void {
    this.statements.markSwept.run(this.tables.log.sweptSeq(session), oldestFrameAt, session);
  }

  private sweepJournals(before: number): boolean {
    return this.budget.repeat(() => {
      const finished = this.listFinished(before);
      for (const ord of finished) this.statements.deleteJournal.run(ord);
      return finished.length;
    });
  }

  /** Returns some of the finished messages from before `before` that have journals. */
  private listFinished(before: number): number[] {
    const { lanes } = this.tables.open;
    const finished: number[] = [];
    for (const { ord, receivedAt } of this.statements.journals.iterate()) {
      // Messages were received in the order of their ords, so later rows are not older.
      if (receivedAt >= before || finished.length >= MAX_STEP_ROWS) break;
      if (!lanes.find(ord)) finished.push(ord);
    }
    return finished;
  }

  /** Forgets clients that have followed channels, and neither sent nor confirmed anything. */
  private sweepFollowers(before: number): boolean {
    return this.budget.repeat(() => {
      const idle = this.statements.idleFollowers.all(before, MAX_STEP_ROWS);
      for (const { client } of idle) {
        this.statements.deleteFollower.run(client);
        this.statements.deleteClient.run(client);
      }
      if (idle.length > 0) this.tables.directory.forgetAll();
      return idle.length;
    });
  }

  /** Continues the scan of the sessions; resets `walkedTo` to 0 at the end. */
  private sweepSessions(before: number): boolean {
    const last = this.statements.lastSession.get()?.session ?? 0;
    while (!this.budget.isOver) {
      const walkTo = this.walkedTo + MAX_STEP_ROWS;
      const row = this.statements.idle.get(this.walkedTo, walkTo, before);
      this.budget.spend((row?.session ?? walkTo) - this.walkedTo);
      if (row) {
        if (!this.deleteSession(row.session)) return false;
        this.walkedTo = row.session;
      } else {
        this.walkedTo = walkTo < last ? walkTo : 0;
        if (this.walkedTo === 0) return true;
      }
    }
    return false;
  }

  /** Deletes a session with all its data, within the limits. Returns true when it is gone. */
  private deleteSession(session: number, endedAt?: number): boolean {
    const { statements } = this;
    const isEmpty =
      this.budget.repeat(() => this.deleteFrames(session, this.nextReach(session))) &&
      this.budget.repeat(() => this.deleteMessages(session)) &&
      this.budget.repeat(() => Number(statements.deleteMemories.run(session, MAX_STEP_ROWS).changes)) &&
      this.budget.repeat(() => Number(statements.deleteSurfaces.run(session, MAX_STEP_ROWS).changes)) &&
      this.budget.repeat(() => Number(statements.deleteStates.run(session, MAX_STEP_ROWS).changes)) &&
      this.budget.repeat(() => Number(statements.deleteApprovals.run(session, MAX_STEP_ROWS).changes)) &&
      this.budget.repeat(() => Number(statements.deleteParticipants.run(session, MAX_STEP_ROWS).changes)) &&
      this.budget.repeat(() => this.deleteCursors(session));
    this.hasDeletedSession = true;
    if (!isEmpty) return false;
    if (endedAt !== undefined) {
      statements.keepEnd.run(endedAt, session);
      this.tables.directory.noteEnded();
    }
    statements.deleteSession.run(session);
    this.tables.log.forget(session);
    return true;
  }

  /** Deletes the oldest messages of a session with all that belongs to them. Returns how many. */
  private deleteMessages(session: number): number {
    const ords = this.statements.messages.all(session, MAX_STEP_ROWS).map(({ ord }) => ord);
    for (const ord of ords) for (const statement of this.statements.deleteMessage) statement.run(ord);
    this.statements.raiseSweptOrd.run(ords.at(-1) ?? 0);
    return ords.length;
  }

  /** Deletes cursors of a session, and clients that have nothing else. Returns how many cursors. */
  private deleteCursors(session: number): number {
    const clients = this.statements.clients.all(session, MAX_STEP_ROWS);
    for (const { client } of clients) {
      this.statements.deleteCursor.run(client, session);
      this.statements.deleteClient.run(client);
    }
    return clients.length;
  }
}

/** The statements that find expired rows, and those of frames and journals. */
function prepareSearch(database: DatabaseSync) {
  return {
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
    idleFollowers: prepare<{ client: number }>(
      database,
      `SELECT client FROM followers WHERE seen_at < ? AND NOT EXISTS (SELECT 1 FROM cursors WHERE client = followers.client)
           AND NOT EXISTS (SELECT 1 FROM messages WHERE client = followers.client) LIMIT ?`,
    ),
    deleteFollower: prepare(database, 'DELETE FROM followers WHERE client = ?'),
    waits: prepare<{ 1: 1 }>(database, 'SELECT 1 FROM queue WHERE session = ? LIMIT 1'),
    lastSession: prepare<{ session: number | null }>(database, 'SELECT max(session) AS session FROM sessions'),
  };
}

/** The statements that delete a session with all its data. */
function prepareDeletion(database: DatabaseSync) {
  return {
    messages: prepare<{ ord: number }>(database, 'SELECT ord FROM messages WHERE session = ? ORDER BY ord LIMIT ?'),
    deleteMessage: TABLES_OF_MESSAGES.map((table) => prepare(database, `DELETE FROM ${table} WHERE ord = ?`)),
    raiseSweptOrd: prepare(database, 'UPDATE gateway SET swept_ord = max(swept_ord, ?)'),
    clients: prepare<{ client: number }>(database, 'SELECT client FROM cursors WHERE session = ? LIMIT ?'),
    deleteMemories: prepare(database, DELETE_MEMORIES),
    deleteApprovals: prepare(database, DELETE_APPROVALS),
    deleteSurfaces: prepare(database, DELETE_SURFACES),
    deleteStates: prepare(database, DELETE_STATES),
    deleteCursor: prepare(database, 'DELETE FROM cursors WHERE client = ? AND session = ?'),
    deleteParticipants: prepare(
      database,
      `DELETE FROM participants WHERE session = ?1
           AND sender IN (SELECT sender FROM participants WHERE session = ?1 LIMIT ?2)`,
    ),
    keepEnd: prepare(
      database,
      `INSERT OR REPLACE INTO ended_sessions (id, seq, epoch, ended_at)
         SELECT id, swept_seq, swept_epoch, ? FROM sessions WHERE session = ?`,
    ),
    deleteSession: prepare(database, 'DELETE FROM sessions WHERE session = ?'),
    deleteClient: prepare(
      database,
      `DELETE FROM clients WHERE client = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE client = ?1)
           AND NOT EXISTS (SELECT 1 FROM cursors WHERE client = ?1)
           AND NOT EXISTS (SELECT 1 FROM followers WHERE client = ?1)`,
    ),
  };
}
