import type { DatabaseSync } from 'node:sqlite';
import type { Json, Priority } from '../../core/store/index.js';
import type { MessageStatus, SessionMode } from '../../protocol/index.js';
import type { PackedEnd, PackedMessage, PackedMessageWithReply, PackedNewMessage } from './packing.js';
import { required, type Row } from './rows.js';
import type { TableState } from './table-state.js';

/** What recognises a repeat, and what its answer needs. */
export interface Earlier {
  readonly ord: number;
  readonly bodyHash: string;
  readonly session: number;
  readonly sessionId: string;
  readonly mode: SessionMode;
  readonly priority: Priority;
}

const COLUMNS = `
  ord, message_id, session, sessions.id AS sessionId, clients.tenant, principal, client_id, priority, received_at, payload
  FROM messages JOIN clients USING (client) JOIN sessions USING (session)`;

/** The messages as they were accepted, and their ends. */
export class MessageTable {
  private readonly insertMessage;
  private readonly insertReply;
  private readonly selectByKey;
  private readonly selectByOrd;
  private readonly selectPage;
  private readonly selectStatus;

  constructor(
    database: DatabaseSync,
    private readonly tables: TableState,
  ) {
    this.insertMessage = database.prepare(
      `INSERT INTO messages (ord, client, message_id, body_hash, session, priority, received_at, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (client, message_id) DO NOTHING`,
    );
    this.insertReply = database.prepare('INSERT INTO replies (ord, status, reply) VALUES (?, ?, ?)');
    this.selectByKey = database.prepare(
      `SELECT ord, body_hash, session, sessions.id AS sessionId, mode, priority
       FROM messages JOIN sessions USING (session) WHERE client = ? AND message_id = ?`,
    );
    this.selectByOrd = database.prepare(`SELECT ${COLUMNS} WHERE ord = ?`);
    this.selectPage = database.prepare(
      `SELECT status, reply,
         (SELECT json_group_array(json_object('sender', sender, 'emoji', emoji)) FROM reactions WHERE reactions.ord = page.ord)
           AS reactions, page.* FROM (
         SELECT ${COLUMNS} WHERE session = ? AND ord >= ? AND ord < ? ORDER BY ord DESC LIMIT ?
       ) AS page LEFT JOIN replies USING (ord) ORDER BY ord DESC`,
    );
    this.selectStatus = database.prepare('SELECT status FROM replies WHERE ord = ?');
  }

  /** False when the client has sent a message of that id before; nothing is stored then. */
  insert(ord: number, client: number, session: number, message: PackedNewMessage): boolean {
    const [, , , messageId, bodyHash, , , , , , , payload, , priority, receivedAt] = message;
    const { changes } = this.insertMessage.run(
      ord,
      client,
      messageId,
      bodyHash,
      session,
      priority,
      receivedAt,
      payload,
    );
    return changes !== 0;
  }

  insertEnd(ord: number, [status, reply]: PackedEnd): void {
    this.insertReply.run(ord, status, reply);
  }

  findByKey(client: number, messageId: string): Earlier | undefined {
    const row = this.selectByKey.get(client, messageId);
    if (!row) return undefined;
    return {
      ord: row['ord'] as number,
      bodyHash: row['body_hash'] as string,
      session: row['session'] as number,
      sessionId: row['sessionId'] as string,
      mode: row['mode'] as SessionMode,
      priority: row['priority'] as Priority,
    };
  }

  find(ord: number): PackedMessage | undefined {
    const row = this.selectByOrd.get(ord);
    return row && this.toMessage(row);
  }

  /** A message that must exist. */
  get(ord: number): PackedMessage {
    return required(this.find(ord));
  }

  /** Messages of a session with `fromOrd <= ord < beforeOrd`, newest first. */
  readPage(session: number, fromOrd: number, beforeOrd: number, limit: number): PackedMessageWithReply[] {
    return this.selectPage
      .all(session, fromOrd, beforeOrd, limit)
      .map((row) => [
        this.toMessage(row),
        this.statusOf(row['ord'] as number, row['status'] as MessageStatus | null),
        (row['reply'] as Json | null) ?? undefined,
        row['reactions'] as Json,
      ]);
  }

  status(ord: number): MessageStatus {
    return this.statusOf(ord, this.selectStatus.get(ord)?.['status'] as MessageStatus | undefined);
  }

  private statusOf(ord: number, end: MessageStatus | null | undefined): MessageStatus {
    if (end) return end;
    const { lanes } = this.tables.open;
    if (lanes.isRunning(ord)) return 'running';
    return lanes.find(ord) ? 'queued' : 'observed';
  }

  private toMessage(row: Row): PackedMessage {
    return [
      this.tables.refs.format(row['ord'] as number),
      row['message_id'] as string,
      row['tenant'] as string,
      row['principal'] as string,
      row['client_id'] as string,
      row['sessionId'] as string,
      row['priority'] as Priority,
      row['received_at'] as number,
      row['payload'] as Json,
    ];
  }
}
