import type { Json } from '../../../core/store/index.js';

/** Number of sessions whose fields both threads keep for claims, a kilobyte each. */
const MAX_SENT_SESSIONS = 1_024;

/** A session as a claim has it. */
export interface ClaimedSession {
  /** All fields but `lastActive` and `headSeq`, which change with each message. */
  readonly fields: Json;
  lastActive: number;
  /** Its place among the sessions that the other thread knows, see {@link SentSessions}. */
  place?: number;
}

/** A session in a claim: its place, with its fields if they are not at that place already. */
export type PackedSession = number | readonly [place: number, fields: Json];

/**
 * The sessions of the last claims, each at a place of a list that the other thread has too. Most claims are of a session
 * that was claimed before, so its fields need not be sent again.
 */
export class SentSessions {
  private readonly places: ClaimedSession[] = [];
  private next = 0;

  /** Returns a session to be sent. The result must be sent, and in this order. */
  pack(session: ClaimedSession): PackedSession {
    const { place } = session;
    // After a rollback all sessions are other objects.
    if (place !== undefined && this.places[place] === session) return place;
    const free = this.next;
    this.next = (free + 1) % MAX_SENT_SESSIONS;
    this.places[free] = session;
    session.place = free;
    return [free, session.fields];
  }
}
