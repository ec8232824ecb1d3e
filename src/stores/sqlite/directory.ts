import type { DatabaseSync } from 'node:sqlite';
import type { ClientKey } from '../../core/store/index.js';
import type { SessionMode } from '../../protocol/index.js';
import { BoundedMap } from '../../core/cache/bounded-map.js';
import type { SessionSeedRow } from './accept-packing.js';
import { prepare } from './rows.js';

/** The fields of a session that most operations need. */
export interface SessionEntry {
  readonly session: number;
  readonly tenant: string;
  readonly mode: SessionMode;
  readonly explicitActivation: boolean;
}

interface SessionColumns extends Omit<SessionEntry, 'explicitActivation'> {
  readonly explicitActivation: 0 | 1;
}

const MAX_CACHED_CLIENTS = 20_000;

/**
 * Number of sessions, and of people in them, that are cached, also by the log. A message of another one costs several
 * look-ups in tables, 80 us in all. About 80 MB when as many are in use.
 */
export const MAX_CACHED_SESSIONS = 262_144;

/** Maps the names of clients and sessions to their row numbers, with a cache, and creates their rows. */
export class Directory {
  private readonly clients = new BoundedMap<string, number>(MAX_CACHED_CLIENTS);
  private readonly sessions = new BoundedMap<string, SessionEntry>(MAX_CACHED_SESSIONS);
  private readonly participants = new BoundedMap<string, true>(MAX_CACHED_SESSIONS);

  private readonly selectClient;
  private readonly insertClient;
  private readonly selectSession;
  private readonly insertSession;
  private readonly insertParticipant;
  private readonly insertCursor;

  constructor(database: DatabaseSync) {
    this.selectClient = prepare<{ client: number }>(
      database,
      'SELECT client FROM clients WHERE client_id = ? AND principal = ? AND tenant = ?',
    );
    this.insertClient = prepare(database, 'INSERT INTO clients (client_id, principal, tenant) VALUES (?, ?, ?)');
    this.selectSession = prepare<SessionColumns>(
      database,
      'SELECT session, tenant, mode, explicit_activation AS explicitActivation FROM sessions WHERE id = ?',
    );
    this.insertSession = prepare(
      database,
      'INSERT INTO sessions (id, tenant, mode, channel, key_parts, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.insertParticipant = prepare(database, 'INSERT OR IGNORE INTO participants (session, sender) VALUES (?, ?)');
    this.insertCursor = prepare(database, 'INSERT OR IGNORE INTO cursors (client, session, seq) VALUES (?, ?, ?)');
  }

  findClient(key: ClientKey): number | undefined {
    const name = nameOf(key);
    const cached = this.clients.get(name);
    if (cached !== undefined) return cached;
    const row = this.selectClient.get(key.clientId, key.principal, key.tenant);
    if (row) this.clients.set(name, row.client);
    return row?.client;
  }

  addClient(key: ClientKey): number {
    const client = Number(this.insertClient.run(key.clientId, key.principal, key.tenant).lastInsertRowid);
    this.clients.set(nameOf(key), client);
    return client;
  }

  findSession(sessionId: string): SessionEntry | undefined {
    const cached = this.sessions.get(sessionId);
    if (cached) return cached;
    const row = this.selectSession.get(sessionId);
    if (!row) return undefined;
    const entry = { ...row, explicitActivation: row.explicitActivation === 1 };
    this.sessions.set(sessionId, entry);
    return entry;
  }

  /** Creates the row of a session. */
  addSession({ id, tenant, mode, channel, keyParts }: SessionSeedRow, createdAt: number): SessionEntry {
    const { lastInsertRowid } = this.insertSession.run(id, tenant, mode, channel, keyParts, createdAt);
    const entry = { session: Number(lastInsertRowid), tenant, mode, explicitActivation: false };
    this.sessions.set(id, entry);
    return entry;
  }

  /** Makes the sender a participant, and creates the client's cursor at `headSeq`. */
  addParticipant(client: number, session: number, sender: string, headSeq: number): void {
    const key = `${client} ${session} ${sender}`;
    if (this.participants.get(key)) return;
    this.insertParticipant.run(session, sender);
    this.insertCursor.run(client, session, headSeq);
    this.participants.set(key, true);
  }

  /** Removes a session whose row has changed from the cache. */
  forgetSession(sessionId: string): void {
    this.sessions.delete(sessionId);
  }

  /** Clears the cache after rows were rolled back or deleted. */
  forgetAll(): void {
    this.clients.clear();
    this.sessions.clear();
    this.participants.clear();
  }
}

/** No name contains NUL, so two identities never give the same key. */
function nameOf({ tenant, principal, clientId }: ClientKey): string {
  return `${tenant}\0${principal}\0${clientId}`;
}
