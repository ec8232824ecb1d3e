/** How far back the use of sessions is tracked, in milliseconds. The health page needs five minutes. */
export const ACTIVITY_WINDOW_MS = 900_000;

/** Uses within this time count as one, in milliseconds. */
const RESOLUTION_MS = 1_000;

/** Recently used sessions, least recently used first. Kept in memory only, since the count is informative. */
export class Activity {
  private readonly lastUse = new Map<number, number>();

  touch(session: number, at: number): void {
    const before = this.lastUse.get(session);
    if (before !== undefined && at - before < RESOLUTION_MS && at >= before) return;
    this.lastUse.delete(session);
    this.lastUse.set(session, at);
    for (const [oldest, lastUse] of this.lastUse) {
      if (lastUse >= at - ACTIVITY_WINDOW_MS) return;
      this.lastUse.delete(oldest);
    }
  }

  /** Counts the sessions that were used since `since` or are in `waiting`. */
  count(since: number, waiting: Iterable<number>): number {
    const active = new Set(waiting);
    for (const [session, lastUse] of this.lastUse) if (lastUse >= since) active.add(session);
    return active.size;
  }
}
