import {
  ALL_TENANTS,
  type ListedSession,
  type ListPosition,
  type Person,
  type PersonPage,
  type PersonPosition,
  type PersonQuery,
  type SessionPage,
  type SessionQuery,
  isInScope,
} from '../../../core/store/index.js';
import type { SessionMode } from '../../../protocol/index.js';
import { startPage } from './page-bounds.js';
import { prepare, required } from './statement.js';
import { LAST_ACTIVE, type SessionOperations } from './session-operations.js';
import type { TableState } from '../state/table-state.js';

/** The fields of a session that a query looks at. */
interface Candidate {
  readonly session: number;
  readonly id: string;
  readonly tenant: string;
  readonly mode: SessionMode;
  readonly channel: string;
  readonly keyParts: string;
}

const CANDIDATE = 'session, id, tenant, mode, channel, key_parts AS keyParts';

/** The lists of sessions and people, which read along keys, and visit a bounded number of rows for a bounded time for a page. */
export class SessionLists {
  private readonly selectCreated;
  private readonly selectCreatedOfAll;
  private readonly selectOfParticipant;
  private readonly selectMessages;
  private readonly selectLater;
  private readonly selectCandidate;
  private readonly selectTakesPart;
  private readonly selectLastActive;
  private readonly selectPeople;
  private readonly selectEarlier;
  private readonly selectNewest;

  constructor(
    private readonly tables: TableState,
    private readonly sessions: SessionOperations,
  ) {
    const { database } = tables;
    this.selectCreated = prepare<Candidate>(database, SELECT_CREATED);
    this.selectCreatedOfAll = prepare<Candidate>(database, SELECT_CREATED_OF_ALL);
    this.selectOfParticipant = prepare<Candidate>(database, SELECT_OF_PARTICIPANT);
    this.selectMessages = prepare<{ ord: number; session: number; receivedAt: number }>(database, SELECT_MESSAGES);
    this.selectLater = prepare<{ 1: 1 }>(database, SELECT_LATER);
    this.selectCandidate = prepare<Candidate>(database, `SELECT ${CANDIDATE} FROM sessions WHERE session = ?`);
    this.selectTakesPart = prepare<{ 1: 1 }>(database, 'SELECT 1 FROM participants WHERE session = ? AND sender = ?');
    this.selectLastActive = prepare<{ at: number }>(
      database,
      `SELECT ${LAST_ACTIVE} AS at FROM sessions WHERE session = ?`,
    );
    this.selectPeople = prepare<{ sender: string; session: number }>(database, SELECT_PEOPLE);
    this.selectEarlier = prepare<{ 1: 1 }>(database, SELECT_EARLIER);
    this.selectNewest = prepare<{ sender: string; name: string | null }>(database, SELECT_NEWEST_NAME);
  }

  /** Explains how each of the statements reads, for tests. */
  static readonly statements = (): readonly string[] => [
    SELECT_CREATED,
    SELECT_CREATED_OF_ALL,
    SELECT_OF_PARTICIPANT,
    SELECT_MESSAGES,
    SELECT_LATER,
    SELECT_PEOPLE,
    SELECT_EARLIER,
    SELECT_NEWEST_NAME,
  ];

  list(query: SessionQuery): SessionPage {
    const asOf = query.after?.asOf ?? this.tables.upcomingOrd - 1;
    const visit = query.order === 'active' ? this.visitActive(query, asOf) : this.visitCreated(query);
    const items: ListedSession[] = [];
    const isOver = startPage();
    let at = 0;
    for (const step of visit) {
      at = step.at;
      if (step.candidate && this.fits(query, step.candidate)) {
        items.push(this.toListed(step.candidate.session));
        if (items.length === query.limit) return { items, next: { at, asOf } };
      }
      if (isOver()) return { items, next: { at, asOf } };
    }
    return { items };
  }

  private toListed(session: number): ListedSession {
    const { open, refs } = this.tables;
    const running = open.lanes.runningIn(session);
    return {
      ...this.sessions.getByNumber(session),
      waiting: open.lanes.countIn(session) - (running ? 1 : 0),
      ...(running && { runningRef: refs.format(running.ord) }),
    };
  }

  /** Visits sessions, the newest first. They are numbered in the order in which they were made. */
  private *visitCreated({ tenant, participant, after }: SessionQuery): Iterable<Step> {
    const before = after?.at ?? Number.MAX_SAFE_INTEGER;
    for (const candidate of this.iterateCreated(tenant, participant, before))
      yield { at: candidate.session, candidate };
  }

  private iterateCreated(tenant: string, participant: string | undefined, before: number): Iterable<Candidate> {
    if (participant !== undefined) return this.selectOfParticipant.iterate(participant, tenant, before);
    if (tenant === ALL_TENANTS) return this.selectCreatedOfAll.iterate(before);
    return this.selectCreated.iterate(tenant, before);
  }

  /** Visits messages, the newest first, and with the newest of each session the session. */
  private *visitActive({ participant, activeSince = 0, after }: SessionQuery, asOf: number): Iterable<Step> {
    const seen = new Set<number>();
    for (const { ord, session, receivedAt } of this.selectMessages.iterate(after?.at ?? asOf + 1)) {
      if (receivedAt < activeSince) return;
      const isNewest = !seen.has(session) && (!after || !this.selectLater.get(session, ord, asOf));
      seen.add(session);
      const takesPart = participant === undefined || this.selectTakesPart.get(session, participant);
      yield { at: ord, candidate: isNewest && takesPart ? this.selectCandidate.get(session) : undefined };
    }
  }

  private fits(query: SessionQuery, candidate: Candidate): boolean {
    const { tenant, channels, mode, text, activeSince } = query;
    return (
      isInScope(tenant, candidate.tenant) &&
      (!channels || channels.includes(candidate.channel)) &&
      (mode === undefined || candidate.mode === mode) &&
      (text === undefined || hasText(`${candidate.id} ${candidate.channel} ${candidate.keyParts}`, text)) &&
      (activeSince === undefined || required(this.selectLastActive.get(candidate.session)).at >= activeSince)
    );
  }

  listPeople(query: PersonQuery): PersonPage {
    const { after, limit } = query;
    const items: Person[] = [];
    const seen = new Set<string>();
    const isOver = startPage();
    for (const row of this.selectPeople.iterate(after?.sender ?? '', after?.session ?? 0)) {
      const person = this.meet(query, row, seen);
      if (person) items.push(person);
      if (isOver() || items.length === limit) return { items, next: row };
    }
    return { items };
  }

  /** Returns the person of a row, if it fits and is met for the first time on its channel. */
  private meet(
    { tenant, channels, text }: PersonQuery,
    { sender, session }: PersonPosition,
    seen: Set<string>,
  ): Person | undefined {
    const candidate = this.selectCandidate.get(session);
    if (!candidate || !isInScope(tenant, candidate.tenant)) return undefined;
    if (channels && !channels.includes(candidate.channel)) return undefined;
    if (text !== undefined && !hasText(sender, text)) return undefined;
    const key = JSON.stringify([sender, candidate.tenant, candidate.channel]);
    if (seen.has(key) || this.selectEarlier.get(sender, session, candidate.tenant, candidate.channel)) return undefined;
    seen.add(key);
    return this.toPerson(sender, candidate);
  }

  private toPerson(sender: string, { session, id, tenant, channel }: Candidate): Person {
    const newest = this.selectNewest.get(session);
    return {
      tenant,
      channel,
      sender,
      ...(newest?.sender === sender && newest.name !== null && { name: newest.name }),
      sessionId: id,
      lastActive: required(this.selectLastActive.get(session)).at,
    };
  }
}

/** A visited row: the position after it, and the session that it brings. */
interface Step {
  readonly at: ListPosition['at'];
  readonly candidate: Candidate | undefined;
}

function hasText(whole: string, text: string): boolean {
  return whole.toLowerCase().includes(text.toLowerCase());
}

const SELECT_CREATED = `SELECT ${CANDIDATE} FROM sessions WHERE tenant = ? AND session < ? ORDER BY session DESC`;

const SELECT_CREATED_OF_ALL = `SELECT ${CANDIDATE} FROM sessions WHERE session < ? ORDER BY session DESC`;

const SELECT_OF_PARTICIPANT = `SELECT sessions.session, id, tenant, mode, channel, key_parts AS keyParts
  FROM participants CROSS JOIN sessions ON sessions.session = participants.session
  WHERE sender = ?1 AND (?2 = '${ALL_TENANTS}' OR tenant = ?2) AND participants.session < ?3
  ORDER BY participants.session DESC`;

const SELECT_MESSAGES = `SELECT ord, session, received_at AS receivedAt FROM messages WHERE ord < ? ORDER BY ord DESC`;

const SELECT_LATER = 'SELECT 1 FROM messages WHERE session = ? AND ord > ? AND ord <= ? LIMIT 1';

const SELECT_PEOPLE = `SELECT sender, session FROM participants
  WHERE (sender, session) > (?, ?) ORDER BY sender, session`;

const SELECT_EARLIER = `SELECT 1 FROM participants CROSS JOIN sessions ON sessions.session = participants.session
  WHERE sender = ? AND participants.session < ? AND tenant = ? AND channel = ? LIMIT 1`;

const SELECT_NEWEST_NAME = `SELECT payload ->> '$.sender' AS sender, payload ->> '$.sender_name' AS name
  FROM messages WHERE session = ? ORDER BY ord DESC LIMIT 1`;
