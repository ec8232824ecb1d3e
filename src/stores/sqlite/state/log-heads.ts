/**
 * Number of sessions with several messages that are cached, and of any sessions by the log. With as many in use this takes
 * 52 MB (measured, with names of usual length); a message of another one looks up five tables. A power of two.
 */
export const MAX_CACHED_SESSIONS = 262_144;

/** The bounds of a session's log. */
export interface LogHead {
  /** The newest seq; 0 if the session never had a frame. */
  readonly seq: number;
  /** The newest seq that retention has deleted; 0 if none. */
  readonly sweptSeq: number;
}

/**
 * The bounds of the logs of {@link MAX_CACHED_SESSIONS} sessions, in 24 bytes each. The number of a session determines
 * its place, so that sessions with numbers near each other do not displace each other.
 */
export class LogHeads {
  private readonly sessions = new Float64Array(MAX_CACHED_SESSIONS);
  private readonly seqs = new Float64Array(MAX_CACHED_SESSIONS);
  private readonly sweptSeqs = new Float64Array(MAX_CACHED_SESSIONS);
  /** The end of the places that are in use: pages of a list take memory once they are written to. */
  private end = 0;

  /** @param read reads the bounds of a session that is not kept */
  constructor(private readonly read: (session: number) => LogHead) {}

  seq(session: number): number {
    return this.seqs[this.find(session)] ?? 0;
  }

  sweptSeq(session: number): number {
    return this.sweptSeqs[this.find(session)] ?? 0;
  }

  /** Notes that frames up to `seq` were appended. */
  advance(session: number, seq: number): void {
    this.seqs[this.find(session)] = seq;
  }

  /** Keeps the bounds of a session. */
  note(session: number, { seq, sweptSeq }: LogHead): void {
    const place = session % MAX_CACHED_SESSIONS;
    this.sessions[place] = session;
    this.seqs[place] = seq;
    this.sweptSeqs[place] = sweptSeq;
    this.end = Math.max(this.end, place + 1);
  }

  /** Forgets a session whose bounds have changed in the tables. */
  forget(session: number): void {
    const place = session % MAX_CACHED_SESSIONS;
    if (this.sessions[place] === session) this.sessions[place] = 0;
  }

  forgetAll(): void {
    this.sessions.fill(0, 0, this.end);
    this.end = 0;
  }

  /** Returns the place of a session, which is kept from now on. Numbers of sessions start at 1. */
  private find(session: number): number {
    const place = session % MAX_CACHED_SESSIONS;
    if (this.sessions[place] !== session) this.note(session, this.read(session));
    return place;
  }
}
