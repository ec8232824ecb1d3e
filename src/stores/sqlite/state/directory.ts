import type { DatabaseSync } from 'node:sqlite';
import type { ClientKey } from '../../../core/store/index.js';
import type { SessionMode } from '../../../protocol/index.js';
import { BoundedMap } from '../../../core/cache/bounded-map.js';
import { SegmentedMap } from '../../../core/cache/segmented-map.js';
import { keyAsJson, type SessionSeedRow } from '../thread/accept-packing.js';
import { Followers } from './followers.js';
import type { FrameLog } from './frame-log.js';
import { MAX_CACHED_SESSIONS } from './log-heads.js';
import { prepare } from '../sql/statement.js';
import type { ClaimedSession } from './sent-sessions.js';

/** The fields of a session that most operations need. */
export interface SessionEntry {
  readonly session: number;
  readonly tenant: string;
  readonly mode: SessionMode;
  readonly agent: string;
  readonly explicitActivation: boolean;
  /** The participant and the client of its newest message, as far as known. */
  lastSender: string | undefined;
  lastClient: number;
}

interface SessionColumns extends Omit<SessionEntry, 'explicitActivation' | 'lastSender' | 'lastClient'> {
  readonly explicitActivation: 0 | 1;
  /** The newest frame of its log; null if there is none. */
  readonly seq: number | null;
  readonly sweptSeq: number;
  /** True if the sender is a participant and the client has a cursor. */
  readonly takesPart: 0 | 1;
  readonly hasCursor: 0 | 1;
}

const MAX_CACHED_CLIENTS = 10_000;

/** Number of cached sessions with one message so far: strangers can make as many as they like. */
const MAX_CACHED_NEW_SESSIONS = 8_192;

/** Number of sessions whose fields are all cached, half a kilobyte each. */
const MAX_CACHED_CLAIMED = 4_096;

/** Number of names of tenants and modes whose strings sessions share. */
const MAX_CACHED_NAMES = 1_000;

/** Number of participants, and of cursors, that are cached, besides the newest of each cached session. */
const MAX_CACHED_PARTICIPANTS = 10_000;

/** Maps the names of clients and sessions to their row numbers, with a cache, and creates their rows. */
export class Directory {
  private readonly clients = new BoundedMap<string, number>(MAX_CACHED_CLIENTS);
  private readonly sessions = new SegmentedMap<string, SessionEntry>(MAX_CACHED_SESSIONS, MAX_CACHED_NEW_SESSIONS);
  /** Participants and cursors that exist. Apart, because in a group each of many clients speaks for each of many people. */
  private readonly participants = new BoundedMap<string, true>(MAX_CACHED_PARTICIPANTS);
  private readonly cursors = new BoundedMap<string, true>(MAX_CACHED_PARTICIPANTS);
  /** Sessions with all their fields that were claimed last. */
  private readonly claimed = new BoundedMap<number, ClaimedSession>(MAX_CACHED_CLAIMED);
  /** Names that many sessions have in common, each once. */
  private readonly names = new BoundedMap<string, string>(MAX_CACHED_NAMES);

  /** True if sessions were deleted whose logs may be continued. */
  private hasEnded: boolean;

  readonly followers: Followers;
  private readonly selectClient;
  private readonly insertClient;
  private readonly selectSession;
  private readonly insertSession;
  private readonly insertParticipant;
  private readonly insertCursor;
  private readonly setSwept;
  private readonly deleteEnded;

  constructor(
    database: DatabaseSync,
    private readonly log: FrameLog,
  ) {
    this.followers = new Followers(database);
    this.selectClient = prepare<{ client: number }>(
      database,
      'SELECT client FROM clients WHERE client_id = ? AND principal = ? AND tenant = ?',
    );
    this.insertClient = prepare(database, 'INSERT INTO clients (client_id, principal, tenant) VALUES (?, ?, ?)');
    // All that accepting a message needs, since a statement costs more than most of these look-ups.
    this.selectSession = prepare<SessionColumns>(
      database,
      `SELECT session, tenant, mode, agent, explicit_activation AS explicitActivation, swept_seq AS sweptSeq,
         (SELECT max(seq) FROM frames WHERE frames.session = sessions.session) AS seq,
         EXISTS (SELECT 1 FROM participants WHERE participants.session = sessions.session AND sender = ?2) AS takesPart,
         EXISTS (SELECT 1 FROM cursors WHERE client = ?3 AND cursors.session = sessions.session) AS hasCursor
       FROM sessions WHERE id = ?1`,
    );
    this.insertSession = prepare(
      database,
      'INSERT INTO sessions (id, tenant, mode, channel, agent, key_parts, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.insertParticipant = prepare(database, 'INSERT OR IGNORE INTO participants (session, sender) VALUES (?, ?)');
    this.setSwept = prepare(
      database,
      `UPDATE sessions SET swept_seq = ended.seq, swept_epoch = ended.epoch
       FROM ended_sessions AS ended WHERE session = ? AND ended.id = ?`,
    );
    this.deleteEnded = prepare(database, 'DELETE FROM ended_sessions WHERE id = ?');
    this.hasEnded = prepare<{ 1: 1 }>(database, 'SELECT 1 FROM ended_sessions LIMIT 1').get() !== undefined;
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

  /** Finds a session. @param client the client and the sender of a message to it, if it is found for one */
  findSession(sessionId: string, client?: number, sender?: string): SessionEntry | undefined {
    const cached = client === undefined ? this.sessions.get(sessionId) : this.sessions.use(sessionId);
    if (cached) return cached;
    const row = this.selectSession.get(sessionId, sender ?? null, client ?? null);
    if (!row) return undefined;
    const { session, sweptSeq, seq } = row;
    this.log.note(session, { seq: seq ?? sweptSeq, sweptSeq });
    const entry = this.keep(sessionId, session, row, row.explicitActivation === 1);
    // It has had a message before.
    if (client !== undefined) this.sessions.use(sessionId);
    if (client !== undefined && row.takesPart === 1 && row.hasCursor === 1) {
      entry.lastClient = client;
      entry.lastSender = sender;
    }
    return entry;
  }

  addSession(seed: SessionSeedRow, createdAt: number): SessionEntry {
    const { id, tenant, mode, channel, agent } = seed;
    const { lastInsertRowid } = this.insertSession.run(id, tenant, mode, channel, agent, keyAsJson(seed), createdAt);
    const session = Number(lastInsertRowid);
    if (this.hasEnded) this.continueLog(id, session);
    return this.keep(id, session, { tenant, mode, agent }, false);
  }

  /** Notes that there may be sessions whose log is continued by one with the same ID. */
  noteEnded(): void {
    this.hasEnded = true;
  }

  /** Lets the log of a session begin after that of a deleted one with the same ID. */
  private continueLog(id: string, session: number): void {
    if (this.setSwept.run(session, id).changes > 0) this.deleteEnded.run(id);
  }

  /** Makes the sender a participant, and creates the client's cursor: at `headSeq`, unless it follows channels. */
  addParticipant(client: number, entry: SessionEntry, sender: string, headSeq: number): void {
    if (entry.lastClient === client && entry.lastSender === sender) return;
    const { session } = entry;
    entry.lastClient = client;
    entry.lastSender = sender;
    const participant = `${session} ${sender}`;
    if (!this.participants.get(participant)) {
      this.insertParticipant.run(session, sender);
      this.claimed.delete(session);
      this.participants.set(participant, true);
    }
    const cursor = `${session} ${client}`;
    if (!this.cursors.get(cursor)) {
      this.insertCursor.run(client, session, this.followers.startIn(client, session) ?? headSeq);
      this.cursors.set(cursor, true);
    }
  }

  /** Notes that the newest message of a session was received at `receivedAt`. */
  noteMessage(session: number, receivedAt: number): void {
    const claimed = this.claimed.get(session);
    if (claimed) claimed.lastActive = receivedAt;
  }

  /** Returns a session with all its fields. @param read reads one that is not kept */
  getClaimed(session: number, read: () => ClaimedSession): ClaimedSession {
    let claimed = this.claimed.get(session);
    if (!claimed) this.claimed.set(session, (claimed = read()));
    return claimed;
  }

  private keep(
    id: string,
    session: number,
    { tenant, mode, agent }: Pick<SessionEntry, 'tenant' | 'mode' | 'agent'>,
    explicitActivation: boolean,
  ): SessionEntry {
    const shared = { tenant: this.share(tenant), mode: this.share(mode), agent: this.share(agent) };
    const entry = { session, ...shared, explicitActivation, lastSender: undefined, lastClient: 0 };
    this.sessions.add(id, entry);
    return entry;
  }

  private share<T extends string>(name: T): T {
    const known = this.names.get(name);
    if (known === undefined) this.names.set(name, name);
    return (known as T | undefined) ?? name;
  }

  /** Removes a session whose row has changed from the cache. */
  forgetSession(sessionId: string): void {
    const entry = this.findSession(sessionId);
    if (entry) this.claimed.delete(entry.session);
    this.sessions.delete(sessionId);
  }

  /** Clears the cache after rows were rolled back or deleted. */
  forgetAll(): void {
    this.clients.clear();
    this.sessions.clear();
    this.claimed.clear();
    this.participants.clear();
    this.cursors.clear();
  }
}

/** No name contains NUL, so two identities never give the same key. */
function nameOf({ tenant, principal, clientId }: ClientKey): string {
  return `${tenant}\0${principal}\0${clientId}`;
}
