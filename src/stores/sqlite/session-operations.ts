import type { Session, SessionChange, StoredReaction } from '../../core/store/index.js';
import type { SessionMode } from '../../protocol/index.js';
import type { MessageTable } from './message-table.js';
import type { PackedHistory } from './operations.js';
import { required } from './rows.js';
import type { TableState } from './table-state.js';

const NEVER = Number.MAX_SAFE_INTEGER;

const COLUMNS = `
  sessions.*, coalesce((SELECT received_at FROM messages WHERE messages.session = sessions.session ORDER BY ord DESC LIMIT 1),
    created_at) AS last_active
  FROM sessions`;

/** Sessions and their history. */
export class SessionOperations {
  private readonly selectById;
  private readonly selectMain;
  private readonly selectParticipants;
  private readonly changeSession;
  private readonly insertReaction;
  private readonly deleteReaction;

  constructor(
    private readonly tables: TableState,
    private readonly messages: MessageTable,
  ) {
    const { database } = tables;
    this.selectById = database.prepare(`SELECT ${COLUMNS} WHERE id = ?`);
    this.selectMain = database.prepare(
      `SELECT ${COLUMNS} WHERE key_parts = ? AND channel = ? AND tenant = ? AND mode = 'main'`,
    );
    this.selectParticipants = database.prepare('SELECT sender FROM participants WHERE session = ?');
    this.changeSession = database.prepare(
      `UPDATE sessions SET mode = coalesce(?, mode), explicit_activation = coalesce(?, explicit_activation),
         tool_permissions = coalesce(?, tool_permissions), memory_refs = coalesce(?, memory_refs),
         context_from = coalesce(?, context_from)
       WHERE id = ?`,
    );
    this.insertReaction = database.prepare('INSERT OR IGNORE INTO reactions (ord, sender, emoji) VALUES (?, ?, ?)');
    this.deleteReaction = database.prepare('DELETE FROM reactions WHERE ord = ? AND sender = ? AND emoji = ?');
  }

  findSession(_now: number, sessionId: string): Session | undefined {
    const row = this.selectById.get(sessionId);
    return row && this.toSession(row);
  }

  /** A session that must exist: a message never outlives it. */
  get(sessionId: string): Session {
    return this.toSession(required(this.selectById.get(sessionId)));
  }

  findLatestMain(_now: number, tenant: string, channels: readonly string[], sender: string): Session | undefined {
    const key = JSON.stringify([sender]);
    const sessions = channels.flatMap((channel) =>
      this.selectMain.all(key, channel, tenant).map((row) => this.toSession(row)),
    );
    return sessions.reduce<Session | undefined>(
      (latest, session) => (latest && latest.lastActive >= session.lastActive ? latest : session),
      undefined,
    );
  }

  updateSession(now: number, sessionId: string, change: SessionChange): Session | undefined {
    const { mode, explicitActivation, toolPermissions, memoryRefs, resetContext } = change;
    this.changeSession.run(
      mode ?? null,
      explicitActivation === undefined ? null : Number(explicitActivation),
      toolPermissions ? JSON.stringify(toolPermissions) : null,
      memoryRefs ? JSON.stringify(memoryRefs) : null,
      resetContext ? this.tables.upcomingOrd : null,
      sessionId,
    );
    this.tables.directory.forgetSession(sessionId);
    return this.findSession(now, sessionId);
  }

  react(_now: number, messageRef: string, { sender, emoji }: StoredReaction, added: boolean): void {
    const ord = this.tables.refs.parse(messageRef);
    if (ord !== undefined) (added ? this.insertReaction : this.deleteReaction).run(ord, sender, emoji);
  }

  readHistory(_now: number, sessionId: string, limit: number, beforeRef: string | undefined): PackedHistory {
    const { directory, log, refs } = this.tables;
    const entry = directory.findSession(sessionId);
    if (!entry) return { messages: [], more: false, headSeq: 0 };
    const before = beforeRef === undefined ? NEVER : (refs.parse(beforeRef) ?? 0);
    const page = this.messages.readPage(entry.session, 0, before, limit + 1);
    return { messages: page.slice(0, limit).reverse(), more: page.length > limit, headSeq: log.head(entry.session) };
  }

  private toSession(row: Record<string, unknown>): Session {
    const session = row['session'] as number;
    return {
      id: row['id'] as string,
      tenant: row['tenant'] as string,
      mode: row['mode'] as SessionMode,
      channel: row['channel'] as string,
      keyParts: JSON.parse(row['key_parts'] as string) as string[],
      participants: this.selectParticipants.all(session).map((participant) => participant['sender'] as string),
      createdAt: row['created_at'] as number,
      lastActive: row['last_active'] as number,
      memoryRefs: JSON.parse(row['memory_refs'] as string) as string[],
      toolPermissions: JSON.parse(row['tool_permissions'] as string) as string[],
      explicitActivation: row['explicit_activation'] === 1,
      headSeq: this.tables.log.head(session),
    };
  }
}
