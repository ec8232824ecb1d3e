import { RecencyMap } from '../../../core/cache/recency-map.js';

/** Time for which the use of sessions is tracked, in milliseconds: that of the health page. */
export const ACTIVITY_WINDOW_MS = 300_000;

/** Number of recently used sessions that are known, of about 60 bytes each. Of more, the count does not say how many. */
export const MAX_RECENT = 32_768;

/** Uses within this time count as one, in milliseconds. */
const RESOLUTION_MS = 1_000;

/**
 * Which sessions are active: used recently, or with unfinished messages. Kept in memory only, since the count is
 * informative. Counting costs the same however many sessions are active.
 */
export class Activity {
  /** Recently used sessions, least recently used first. */
  private readonly lastUse = new RecencyMap<number, number>();
  /** The sessions with unfinished messages that are not in {@link lastUse}. */
  private readonly waiting = new Set<number>();

  /** @param hasUnfinished returns whether a session has unfinished messages */
  constructor(private readonly hasUnfinished: (session: number) => boolean) {}

  /** Notes a use of a session. */
  touch(session: number, at: number): void {
    const before = this.lastUse.get(session);
    if (before !== undefined && at - before < RESOLUTION_MS && at >= before) return;
    this.waiting.delete(session);
    this.lastUse.set(session, at);
    this.forget(at - ACTIVITY_WINDOW_MS);
  }

  /** Notes that a session has unfinished messages, which were stored before. */
  recall(session: number): void {
    if (!this.lastUse.has(session)) this.waiting.add(session);
  }

  /** Notes that a session has no unfinished messages. */
  end(session: number): void {
    this.waiting.delete(session);
  }

  /** Forgets which sessions have unfinished messages. */
  endAll(): void {
    this.waiting.clear();
  }

  /** Lists the sessions that {@link count} counts. */
  list(now: number, since: number): number[] {
    this.forget(now - ACTIVITY_WINDOW_MS);
    const used = [...this.lastUse].filter(([session, lastUse]) => lastUse >= since || this.hasUnfinished(session));
    return [...used.map(([session]) => session), ...this.waiting];
  }

  /** Counts the sessions that were used since `since` or have unfinished messages. */
  count(now: number, since: number): number {
    this.forget(now - ACTIVITY_WINDOW_MS);
    let idle = 0;
    for (const [session, lastUse] of this.lastUse) {
      if (lastUse >= since) break;
      if (!this.hasUnfinished(session)) idle++;
    }
    return this.lastUse.size - idle + this.waiting.size;
  }

  /** Forgets uses before `since`, and the oldest ones of too many. */
  private forget(since: number): void {
    for (let session = this.lastUse.oldest(); session !== undefined; session = this.lastUse.oldest()) {
      if ((this.lastUse.get(session) ?? 0) >= since && this.lastUse.size <= MAX_RECENT) return;
      this.lastUse.delete(session);
      if (this.hasUnfinished(session)) this.waiting.add(session);
    }
  }
}
