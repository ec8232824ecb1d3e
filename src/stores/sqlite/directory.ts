import type { DatabaseSync } from 'node:sqlite';
import type { SessionMode } from '../../protocol/index.js';
import { BoundedMap } from './bounded-map.js';
import type { PackedNewMessage } from './packing.js';

/** What is needed of a session again and again. */
export interface SessionEntry {
  readonly session: number;
  readonly tenant: string;
  readonly mode: SessionMode;
}

/** How many clients, sessions and their pairs are remembered; the rest is looked up. About 10 MB when full. */
const REMEMBERED = 20_000;

/** From names to numbers: clients and sessions, looked up once and remembered, made at their first message. */
export class Directory {
  private readonly clients = new BoundedMap<string, number>(REMEMBERED);
  private readonly sessions = new BoundedMap<string, SessionEntry>(REMEMBERED);
  private readonly acquainted = new BoundedMap<string, true>(REMEMBERED);

  private readonly selectClient;
  private readonly insertClient;
  private readonly selectSession;
  private readonly insertSession;
  private readonly insertParticipant;
  private readonly insertCursor;

  constructor(database: DatabaseSync) {
    this.selectClient = database.prepare(
      'SELECT client FROM clients WHERE client_id = ? AND principal = ? AND tenant = ?',
    );
    this.insertClient = database.prepare('INSERT INTO clients (client_id, principal, tenant) VALUES (?, ?, ?)');
    this.selectSession = database.prepare('SELECT session, tenant, mode FROM sessions WHERE id = ?');
    this.insertSession = database.prepare(
      'INSERT INTO sessions (id, tenant, mode, channel, key_parts, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.insertParticipant = database.prepare('INSERT OR IGNORE INTO participants (session, sender) VALUES (?, ?)');
    this.insertCursor = database.prepare('INSERT OR IGNORE INTO cursors (client, session, seq) VALUES (?, ?, ?)');
  }

  findClient(tenant: string, principal: string, clientId: string): number | undefined {
    const name = nameOf(tenant, principal, clientId);
    let client = this.clients.get(name);
    if (client !== undefined) return client;
    client = this.selectClient.get(clientId, principal, tenant)?.['client'] as number | undefined;
    if (client !== undefined) this.clients.set(name, client);
    return client;
  }

  addClient(tenant: string, principal: string, clientId: string): number {
    const client = Number(this.insertClient.run(clientId, principal, tenant).lastInsertRowid);
    this.clients.set(nameOf(tenant, principal, clientId), client);
    return client;
  }

  findSession(sessionId: string): SessionEntry | undefined {
    let entry = this.sessions.get(sessionId);
    if (entry) return entry;
    const row = this.selectSession.get(sessionId);
    if (!row) return undefined;
    entry = { session: row['session'] as number, tenant: row['tenant'] as string, mode: row['mode'] as SessionMode };
    this.sessions.set(sessionId, entry);
    return entry;
  }

  /** Makes the session of its first message. */
  addSession(message: PackedNewMessage, createdAt: number): SessionEntry {
    const [, , , , , id, tenant, mode, channel, keyParts] = message;
    const { lastInsertRowid } = this.insertSession.run(id, tenant, mode, channel, keyParts, createdAt);
    const entry = { session: Number(lastInsertRowid), tenant, mode };
    this.sessions.set(id, entry);
    return entry;
  }

  /** Makes the sender a participant, and gives the client a cursor from the session's head as it is now. */
  acquaint(client: number, session: number, sender: string, headSeq: number): void {
    const key = `${client} ${session} ${sender}`;
    if (this.acquainted.get(key)) return;
    this.insertParticipant.run(session, sender);
    this.insertCursor.run(client, session, headSeq);
    this.acquainted.set(key, true);
  }

  /** The session's row has changed. */
  forgetSession(sessionId: string): void {
    this.sessions.delete(sessionId);
  }

  /** What was remembered may have been rolled back or deleted. */
  forgetAll(): void {
    this.clients.clear();
    this.sessions.clear();
    this.acquainted.clear();
  }
}

/** NUL stands in no name, so no two identities give one text. */
function nameOf(tenant: string, principal: string, clientId: string): string {
  return `${tenant}\0${principal}\0${clientId}`;
}
