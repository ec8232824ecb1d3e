import type { DatabaseSync } from 'node:sqlite';
import { canonicalise } from '../../../core/store/canonical-json.js';
import type { ClientKey, Json, Priority } from '../../../core/store/index.js';
import type { MessageStatus, SessionMode } from '../../../protocol/index.js';
import type { NewMessageRow } from '../thread/accept-packing.js';
import type { EndRow, HistoryRow, MessageRow } from '../thread/packing.js';
import { prepare, required } from './statement.js';
import type { TableState } from '../state/table-state.js';

/** The fields of a stored message that are needed to recognise and acknowledge a duplicate. */
export interface Earlier {
  readonly ord: number;
  readonly session: number;
  readonly sessionId: string;
  readonly mode: SessionMode;
  readonly agent: string;
  readonly priority: Priority;
  readonly payload: Json;
}

const COLUMNS = `ord, message_id AS messageId, session, sessions.id AS sessionId, clients.tenant, principal,
  client_id AS clientId, priority, received_at AS receivedAt, payload, trace`;
const JOINED = 'messages JOIN clients USING (client) JOIN sessions USING (session)';

interface Columns extends ClientKey, Omit<MessageRow, 'messageRef' | 'client' | 'trace'> {
  readonly ord: number;
  readonly trace: string | null;
}

interface PageColumns extends Columns {
  readonly status: MessageStatus | null;
  readonly reply: Json | null;
  readonly reactions: Json;
  readonly supersededBy: number | null;
}

/** The messages of a session with `ord >= ? AND ord < ?`, with those that are superseded or without. */
const selectPage = (order: 'ASC' | 'DESC') => `SELECT status, reply,
   (SELECT json_group_array(json_object('sender', sender, 'emoji', emoji)) FROM reactions WHERE reactions.ord = page.ord)
     AS reactions, superseded_by AS supersededBy, page.* FROM (
   SELECT ${COLUMNS} FROM ${JOINED} WHERE session = ? AND ord >= ? AND ord < ?
     AND (? OR NOT EXISTS (SELECT 1 FROM superseded WHERE superseded.ord = messages.ord))
   ORDER BY ord ${order} LIMIT ?
 ) AS page LEFT JOIN replies USING (ord) LEFT JOIN superseded USING (ord) ORDER BY ord ${order}`;

/** The tables of accepted messages and of their ends. */
export class MessageTable {
  private readonly insertMessage;
  private readonly insertReply;
  private readonly selectByKey;
  private readonly selectByOrd;
  private readonly selectPage;
  private readonly selectForward;
  private readonly selectStatus;
  private readonly insertSuperseded;

  constructor(
    database: DatabaseSync,
    private readonly tables: TableState,
  ) {
    this.insertMessage = prepare(
      database,
      `INSERT INTO messages (ord, client, message_id, body_hash, session, priority, received_at, payload, trace)
       VALUES (?, ?, ?, '', ?, ?, ?, ?, ?) ON CONFLICT (client, message_id) DO NOTHING`,
    );
    this.insertReply = prepare(database, 'INSERT INTO replies (ord, status, reply) VALUES (?, ?, ?)');
    this.selectByKey = prepare<Earlier>(
      database,
      `SELECT ord, session, sessions.id AS sessionId, mode, agent, priority, payload
       FROM messages JOIN sessions USING (session) WHERE client = ? AND message_id = ?`,
    );
    this.selectByOrd = prepare<Columns>(database, `SELECT ${COLUMNS} FROM ${JOINED} WHERE ord = ?`);
    this.selectPage = prepare<PageColumns>(database, selectPage('DESC'));
    this.selectForward = prepare<PageColumns>(database, selectPage('ASC'));
    this.selectStatus = prepare<{ status: MessageStatus }>(database, 'SELECT status FROM replies WHERE ord = ?');
    // A message that is superseded already keeps its mark.
    this.insertSuperseded = prepare(
      database,
      `INSERT OR IGNORE INTO superseded (ord, superseded_by)
       SELECT ord, ? FROM messages WHERE session = ? AND ord BETWEEN ? AND ?`,
    );
  }

  /** Stores a message. Returns false, and stores nothing, if the client has sent a message with that id before. */
  insert(ord: number, client: number, session: number, message: NewMessageRow): boolean {
    const { messageId, priority, receivedAt, payload, trace = null } = message;
    const { changes } = this.insertMessage.run(ord, client, messageId, session, priority, receivedAt, payload, trace);
    return changes !== 0;
  }

  insertEnd(ord: number, { status, reply }: EndRow): void {
    this.insertReply.run(ord, status, reply);
  }

  /** Marks the messages of a session with `fromOrd <= ord <= toOrd` as superseded by a later one. */
  supersede(session: number, fromOrd: number, toOrd: number, by: number): void {
    this.insertSuperseded.run(by, session, fromOrd, toOrd);
  }

  hasEnded(ord: number): boolean {
    return this.selectStatus.get(ord) !== undefined;
  }

  findByKey(client: number, messageId: string): Earlier | undefined {
    return this.selectByKey.get(client, messageId);
  }

  find(ord: number): MessageRow | undefined {
    const row = this.selectByOrd.get(ord);
    return row && this.toMessage(row);
  }

  /** Returns a message that must exist. */
  get(ord: number): MessageRow {
    return required(this.find(ord));
  }

  /** Iterates over messages of a session with `fromOrd <= ord < beforeOrd`, newest first, also those that are superseded. */
  iteratePage(session: number, fromOrd: number, beforeOrd: number, limit: number): Iterable<HistoryRow> {
    return this.iterate(session, fromOrd, beforeOrd, 1, limit);
  }

  /** Returns such messages, without those that are superseded. */
  readStanding(session: number, fromOrd: number, beforeOrd: number, limit: number): HistoryRow[] {
    return [...this.iterate(session, fromOrd, beforeOrd, 0, limit)];
  }

  /** Returns messages of a session after `afterOrd`, oldest first, also those that are superseded. */
  readForward(session: number, afterOrd: number, limit: number): HistoryRow[] {
    return [...this.toRows(this.selectForward.iterate(session, afterOrd + 1, Number.MAX_SAFE_INTEGER, 1, limit))];
  }

  private iterate(...parameters: [number, number, number, 0 | 1, number]): Iterable<HistoryRow> {
    return this.toRows(this.selectPage.iterate(...parameters));
  }

  private *toRows(rows: Iterable<PageColumns>): Iterable<HistoryRow> {
    for (const row of rows) {
      yield {
        message: this.toMessage(row),
        status: row.status ?? this.statusOfOpen(row.ord),
        reply: row.reply,
        reactions: row.reactions,
        supersededBy: row.supersededBy === null ? null : this.tables.refs.format(row.supersededBy),
      };
    }
  }

  status(ord: number): MessageStatus {
    return this.selectStatus.get(ord)?.status ?? this.statusOfOpen(ord);
  }

  private statusOfOpen(ord: number): MessageStatus {
    const { lanes } = this.tables.open;
    if (lanes.isRunning(ord)) return 'running';
    return lanes.find(ord) ? 'queued' : 'observed';
  }

  private toMessage(row: Columns): MessageRow {
    const { messageId, tenant, principal, clientId, sessionId, priority, receivedAt, payload, trace } = row;
    const messageRef = this.tables.refs.format(row.ord);
    return {
      messageRef,
      messageId,
      client: { tenant, principal, clientId },
      sessionId,
      priority,
      receivedAt,
      payload,
      ...(trace !== null && { trace }),
    };
  }
}

/**
 * Returns whether a message with the same client and id is the same message. The payload determines the session of one
 * that names none, and may determine another by now. Only a sender that orders keys differently costs more.
 */
export function isRepeat(earlier: Earlier, { session, namesSession, payload }: NewMessageRow): boolean {
  if (namesSession && earlier.sessionId !== session.id) return false;
  return earlier.payload === payload || canonicalise(JSON.parse(earlier.payload)) === canonicalise(JSON.parse(payload));
}
