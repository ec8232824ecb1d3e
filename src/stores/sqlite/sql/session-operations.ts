import { noteOfSession } from '../../../core/audit/audit-notes.js';
import type { Json, Session, SessionChange, StoredReaction } from '../../../core/store/index.js';
import type { SessionMode } from '../../../protocol/index.js';
import type { AuditTrail } from './audit-trail.js';
import type { MessageTable } from './message-table.js';
import type { HistoryRow } from '../thread/packing.js';
import { prepare, required } from './statement.js';
import type { ClaimedSession } from '../state/sent-sessions.js';
import type { TableState } from '../state/table-state.js';

const NEVER = Number.MAX_SAFE_INTEGER;

/** The time of the newest message in a row of `sessions`, or else of its creation. */
export const LAST_ACTIVE = `coalesce(
  (SELECT received_at FROM messages WHERE messages.session = sessions.session ORDER BY ord DESC LIMIT 1), created_at)`;

const COLUMNS = `session, id, tenant, mode, channel, agent, key_parts AS keyParts, created_at AS createdAt,
  memory_refs AS memoryRefs, tool_permissions AS toolPermissions, explicit_activation AS explicitActivation, model,
  ${LAST_ACTIVE} AS lastActive,
  (SELECT count(*) FROM (SELECT 1 FROM participants WHERE participants.session = sessions.session LIMIT 2)) AS participants`;

interface Columns {
  readonly session: number;
  readonly id: string;
  readonly tenant: string;
  readonly mode: SessionMode;
  readonly channel: string;
  readonly agent: string;
  readonly keyParts: Json;
  readonly createdAt: number;
  readonly memoryRefs: Json;
  readonly toolPermissions: Json;
  readonly explicitActivation: 0 | 1;
  readonly model: string | null;
  readonly lastActive: number;
  /** At most 2. */
  readonly participants: number;
}

/** Maximum number of reactions that a message keeps, of one sender and of all. */
const MAX_REACTIONS_PER_SENDER = 20;
const MAX_REACTIONS_PER_MESSAGE = 1_000;

/** Maximum length of a page of the history in UTF-16 units, unless one message is longer: its reader parses it at once. */
const MAX_PAGE_LENGTH = 262_144;

/** The operations of `SessionStore`. */
export class SessionOperations {
  private readonly selectById;
  private readonly selectByNumber;
  private readonly selectParticipants;
  private readonly selectParticipant;
  private readonly selectFounder;
  private readonly changeSession;
  private readonly insertReaction;
  private readonly selectReaction;
  private readonly deleteReaction;

  constructor(
    private readonly tables: TableState,
    private readonly messages: MessageTable,
    private readonly audit: AuditTrail,
  ) {
    const { database } = tables;
    this.selectById = prepare<Columns>(database, `SELECT ${COLUMNS} FROM sessions WHERE id = ?`);
    this.selectByNumber = prepare<Columns>(database, `SELECT ${COLUMNS} FROM sessions WHERE session = ?`);
    this.selectParticipants = prepare<{ sender: string }>(
      database,
      'SELECT sender FROM participants JOIN sessions USING (session) WHERE id = ?',
    );
    this.selectParticipant = prepare<{ 1: 1 }>(
      database,
      'SELECT 1 FROM participants JOIN sessions USING (session) WHERE id = ? AND sender = ?',
    );
    this.selectFounder = prepare<{ principal: string }>(
      database,
      `SELECT principal FROM messages JOIN clients USING (client)
       WHERE session = (SELECT session FROM sessions WHERE id = ?) ORDER BY ord LIMIT 1`,
    );
    this.changeSession = prepare(
      database,
      `UPDATE sessions SET mode = coalesce(?, mode), explicit_activation = coalesce(?, explicit_activation),
         tool_permissions = coalesce(?, tool_permissions), memory_refs = coalesce(?, memory_refs),
         context_from = coalesce(?, context_from), model = iif(?, ?, model)
       WHERE id = ?`,
    );
    this.insertReaction = prepare(
      database,
      `INSERT OR IGNORE INTO reactions (ord, sender, emoji) SELECT ?1, ?2, ?3
       WHERE (SELECT count(*) FROM reactions WHERE ord = ?1 AND sender = ?2) < ${MAX_REACTIONS_PER_SENDER}
         AND (SELECT count(*) FROM reactions WHERE ord = ?1) < ${MAX_REACTIONS_PER_MESSAGE}`,
    );
    this.selectReaction = prepare(database, 'SELECT 1 FROM reactions WHERE ord = ? AND sender = ? AND emoji = ?');
    this.deleteReaction = prepare(
      database,
      "DELETE FROM reactions WHERE ord = ?1 AND sender = ?2 AND ?3 IN (emoji, '')",
    );
  }

  find(sessionId: string): Session | undefined {
    const row = this.selectById.get(sessionId);
    return row && this.toSession(row);
  }

  /** Returns a session that must exist. */
  getByNumber(session: number): Session {
    return this.toSession(required(this.selectByNumber.get(session)));
  }

  /** Returns a session that must exist because it has messages. */
  getClaimed(session: number): ClaimedSession {
    return this.tables.directory.getClaimed(session, () => {
      const { lastActive, headSeq: _, ...fields } = this.toSession(required(this.selectByNumber.get(session)));
      return { fields: JSON.stringify(fields), lastActive };
    });
  }

  listParticipants(sessionId: string): string[] {
    return this.selectParticipants.all(sessionId).map(({ sender }) => sender);
  }

  isParticipant(sessionId: string, sender: string): boolean {
    return this.selectParticipant.get(sessionId, sender) !== undefined;
  }

  findFounder(sessionId: string): string | undefined {
    return this.selectFounder.get(sessionId)?.principal;
  }

  update(now: number, sessionId: string, change: SessionChange, actor?: string): Session | undefined {
    const before = this.find(sessionId);
    if (!before) return undefined;
    const { mode, explicitActivation, toolPermissions, memoryRefs, model, resetContext } = change;
    this.changeSession.run(
      mode ?? null,
      explicitActivation === undefined ? null : Number(explicitActivation),
      toolPermissions ? JSON.stringify(toolPermissions) : null,
      memoryRefs ? JSON.stringify(memoryRefs) : null,
      resetContext ? this.tables.upcomingOrd : null,
      Number(model !== undefined),
      model ?? null,
      sessionId,
    );
    this.tables.directory.forgetSession(sessionId);
    const after = required(this.find(sessionId));
    if (actor !== undefined) this.audit.add(now, noteOfSession(before, after, change, actor));
    return after;
  }

  changeReaction(messageRef: string, { sender, emoji }: StoredReaction, action: 'added' | 'removed'): boolean {
    const ord = this.tables.refs.parse(messageRef);
    if (ord === undefined) return true;
    if (action === 'removed') {
      this.deleteReaction.run(ord, sender, emoji);
      return true;
    }
    return (
      this.insertReaction.run(ord, sender, emoji).changes > 0 ||
      this.selectReaction.get(ord, sender, emoji) !== undefined
    );
  }

  readHistory(
    sessionId: string,
    limit: number,
    beforeRef?: string,
  ): { messages: HistoryRow[]; more: boolean; headSeq: number } {
    const { directory, log, refs } = this.tables;
    const entry = directory.findSession(sessionId);
    if (!entry) return { messages: [], more: false, headSeq: 0 };
    const before = beforeRef === undefined ? NEVER : (refs.parse(beforeRef) ?? 0);
    const newestFirst: HistoryRow[] = [];
    let more = false;
    let length = 0;
    for (const row of this.messages.iteratePage(entry.session, 0, before, limit + 1)) {
      length += row.message.payload.length + (row.reply?.length ?? 0);
      more = newestFirst.length === limit || (newestFirst.length > 0 && length > MAX_PAGE_LENGTH);
      if (more) break;
      newestFirst.push(row);
    }
    return { messages: newestFirst.reverse(), more, headSeq: log.head(entry.session) };
  }

  private toSession({ session, participants, model, ...row }: Columns): Session {
    return {
      ...row,
      ...(model !== null && { model }),
      keyParts: JSON.parse(row.keyParts) as string[],
      hasSeveralParticipants: participants > 1,
      memoryRefs: JSON.parse(row.memoryRefs) as string[],
      toolPermissions: JSON.parse(row.toolPermissions) as string[],
      explicitActivation: row.explicitActivation === 1,
      headSeq: this.tables.log.head(session),
    };
  }
}
