import {
  ALL_TENANTS,
  type AdminStore,
  type DurableFrame,
  type MessageLife,
  type WaitingPage,
  type WaitingQuery,
  type WaitingRow,
  type Priority,
  type RecordedStep,
  isInScope,
} from '../../../core/store/index.js';
import { noteOfDeletedSession } from '../../../core/audit/audit-notes.js';
import type { ApprovalOperations } from './approval-operations.js';
import type { AuditTrail } from './audit-trail.js';
import type { ChannelOperations } from './channel-operations.js';
import type { MessageTable } from './message-table.js';
import type { HistoryRow } from '../thread/packing.js';
import { prepare, required } from './statement.js';
import { MAX_STEP_ROWS, SweepBudget } from './sweep-budget.js';
import type { Sweeper } from './sweeper.js';
import type { TableState } from '../state/table-state.js';

/** Maximum number of frames in the life of a message. */
const MAX_LIFE_FRAMES = 2_000;

/** Number of bytes of payload that the frames of a message may have in its life. */
const MAX_LIFE_BYTES = 1_048_576;

/** The life of a message, with the message as it is stored. */
interface MessageLifeRow extends Omit<MessageLife, 'message'> {
  readonly message: HistoryRow;
}

interface OpenColumns {
  readonly ord: number;
  readonly session: number;
  readonly sessionId: string;
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
  readonly priority: Priority;
  readonly receivedAt: number;
}

/** The parts of the state that the operations use. */
interface AdminParts {
  readonly tables: TableState;
  readonly messages: MessageTable;
  readonly approvals: ApprovalOperations;
  readonly channels: ChannelOperations;
  readonly sweeper: Sweeper;
  readonly audit: AuditTrail;
}

/** The operations of `AdminStore` on messages and single sessions. The table `queue` is bounded by `queue.max_total`, so a call may read all of it. */
export class AdminOperations {
  private readonly selectOrds;
  private readonly countSessions;
  private readonly selectOpen;
  private readonly selectReceived;
  private readonly selectSteps;
  private readonly selectSession;
  private readonly selectContextFrom;
  private readonly deleteEnded;
  private readonly releaseMedia;

  private readonly tables;
  private readonly messages;
  private readonly approvals;
  private readonly channels;
  private readonly sweeper;
  private readonly audit;

  constructor(parts: AdminParts) {
    ({
      tables: this.tables,
      messages: this.messages,
      approvals: this.approvals,
      channels: this.channels,
      sweeper: this.sweeper,
      audit: this.audit,
    } = parts);
    const { database } = parts.tables;
    this.selectContextFrom = prepare<{ ord: number }>(
      database,
      'SELECT context_from AS ord FROM sessions WHERE session = ?',
    );
    this.deleteEnded = prepare(
      database,
      'DELETE FROM ended_sessions WHERE id IN (SELECT id FROM ended_sessions WHERE ended_at < ? LIMIT ?)',
    );
    this.releaseMedia = prepare(database, 'UPDATE media SET session_id = NULL, created_at = 0 WHERE session_id = ?');
    this.countSessions = prepare<{ count: number }>(database, COUNT_SESSIONS);
    this.selectOrds = prepare<{ ord: number; sessionId: string }>(database, SELECT_ORDS);
    this.selectOpen = prepare<OpenColumns>(database, SELECT_OPEN);
    this.selectReceived = prepare<{ at: number }>(database, 'SELECT received_at AS at FROM messages WHERE ord = ?');
    this.selectSteps = prepare<RecordedStep>(
      database,
      'SELECT step, kind, body, head_seq AS headSeq FROM journal WHERE ord = ? ORDER BY step',
    );
    this.selectSession = prepare<{ session: number; tenant: string; channel: string; agent: string }>(
      database,
      'SELECT session, tenant, channel, agent FROM sessions WHERE id = ?',
    );
  }

  listWaitingMessages({ tenant, channels, sessionId, after = 0, limit }: WaitingQuery): WaitingPage {
    const { lanes } = this.tables.open;
    const found: number[] = [];
    let [waiting, running] = [0, 0];
    let oldest: number | undefined;
    for (const row of this.selectOrds.iterate(tenant, channels ? JSON.stringify(channels) : null)) {
      if (lanes.isRunning(row.ord)) {
        running++;
        continue;
      }
      waiting++;
      oldest ??= row.ord;
      if (row.ord > after && found.length <= limit && (sessionId === undefined || row.sessionId === sessionId))
        found.push(row.ord);
    }
    const ords = found.slice(0, limit);
    return {
      items: ords.map((ord) => this.toWaiting(required(this.selectOpen.get(ord)))),
      ...(found.length > limit && { next: required(ords.at(-1)) }),
      waiting,
      running,
      ...(oldest !== undefined && { oldestAt: required(this.selectReceived.get(oldest)).at }),
    };
  }

  countActiveSessions(
    now: number,
    { tenant, channels, activeSince }: Parameters<AdminStore['countActiveSessions']>[0],
  ): number {
    const active = JSON.stringify(this.tables.activity.list(now, activeSince));
    return required(this.countSessions.get(tenant, channels ? JSON.stringify(channels) : null, active)).count;
  }

  findMessageLife(tenant: string, messageRef: string): MessageLifeRow | undefined {
    const { refs, open, log } = this.tables;
    const ord = refs.parse(messageRef);
    const sessionId = ord === undefined ? undefined : this.messages.find(ord)?.sessionId;
    const row = sessionId === undefined ? undefined : this.selectSession.get(sessionId);
    if (ord === undefined || sessionId === undefined || !row || !isInScope(tenant, row.tenant)) return undefined;
    const { session, channel, agent } = row;
    const [message] = this.messages.iteratePage(session, ord, ord + 1, 1);
    const attempt = open.lanes.find(ord)?.attempt;
    const { receivedAt } = required(message).message;
    const [from] = log.findRange(session, receivedAt, receivedAt);
    return {
      message: required(message),
      status: required(message).status,
      tenant: row.tenant,
      channel,
      agent,
      ...(attempt !== undefined && { attempt }),
      steps: this.selectSteps.all(ord),
      frames: this.readFrames(session, sessionId, from, messageRef),
      approvals: this.approvals.listOfMessage(sessionId, messageRef),
      parts: this.channels.listParts(channel, messageRef),
    };
  }

  deleteSession(now: number, tenant: string, sessionId: string, actor: string): 'gone' | 'more' | 'busy' {
    const entry = this.tables.directory.findSession(sessionId);
    if (entry?.tenant !== tenant) return 'gone';
    if (this.tables.open.lanes.countIn(entry.session) > 0) return 'busy';
    this.releaseMedia.run(sessionId);
    if (!this.sweeper.end(sessionId, new SweepBudget(), now)) return 'more';
    this.audit.add(now, noteOfDeletedSession(tenant, sessionId, actor));
    return 'gone';
  }

  readForward(sessionId: string, limit: number, afterRef?: string): HistoryRow[] {
    const { directory, refs } = this.tables;
    const entry = directory.findSession(sessionId);
    const after = afterRef === undefined ? 0 : refs.parse(afterRef);
    return entry && after !== undefined ? this.messages.readForward(entry.session, after, limit) : [];
  }

  readCurrentContext(sessionId: string, limit: number): HistoryRow[] {
    const entry = this.tables.directory.findSession(sessionId);
    if (!entry) return [];
    const from = required(this.selectContextFrom.get(entry.session)).ord;
    return this.messages.readStanding(entry.session, from, this.tables.upcomingOrd, limit).reverse();
  }

  /** Forgets the ends of sessions that were deleted before a time. Returns true if there may be more. */
  sweep(before: number, budget: SweepBudget): boolean {
    return !budget.repeat(() => Number(this.deleteEnded.run(before, MAX_STEP_ROWS).changes));
  }

  /** Reads the frames of a message after a seq, up to its end. */
  private readFrames(session: number, sessionId: string, afterSeq: number, messageRef: string): DurableFrame[] {
    const page = this.tables.log.readPage(session, sessionId, afterSeq, MAX_LIFE_FRAMES, MAX_LIFE_BYTES);
    const own = page.frames.filter((frame) => frame.messageRef === messageRef);
    const end = own.findIndex(({ type }) => type === 'stream_end');
    return end === -1 ? own : own.slice(0, end + 1);
  }

  private toWaiting({ ord, session, ...row }: OpenColumns): WaitingRow {
    const { open, refs } = this.tables;
    const running = open.lanes.runningIn(session);
    return {
      ...row,
      messageRef: refs.format(ord),
      position: open.lanes.position(ord),
      ...(running && { runningRef: refs.format(running.ord) }),
    };
  }
}

const SELECT_ORDS = `SELECT ord, sessions.id AS sessionId FROM queue JOIN sessions USING (session)
  WHERE (?1 = '${ALL_TENANTS}' OR tenant = ?1) AND (?2 IS NULL OR channel IN (SELECT value FROM json_each(?2))) ORDER BY ord`;

const COUNT_SESSIONS = `SELECT count(*) AS count FROM json_each(?3) AS active CROSS JOIN sessions ON session = active.value
  WHERE (?1 = '${ALL_TENANTS}' OR tenant = ?1) AND (?2 IS NULL OR channel IN (SELECT value FROM json_each(?2)))`;

const SELECT_OPEN = `SELECT ord, session, sessions.id AS sessionId, sessions.tenant, sessions.channel, payload ->> '$.sender' AS sender,
  priority, received_at AS receivedAt FROM messages JOIN sessions USING (session) WHERE ord = ?`;
