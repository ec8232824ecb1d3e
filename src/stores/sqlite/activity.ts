/** How far back the use of sessions is remembered; what the health page asks for is five minutes. */
export const ACTIVITY_WINDOW_MS = 900_000;

/** Uses that follow each other sooner are one. */
const RESOLUTION_MS = 1_000;

/** Which sessions were used lately, the one used longest ago first. In memory: a number for people, no promise. */
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

  /** How many sessions were used since `since`, or are among those with work waiting. */
  count(since: number, waiting: Iterable<number>): number {
    const active = new Set(waiting);
    for (const [session, lastUse] of this.lastUse) if (lastUse >= since) active.add(session);
    return active.size;
  }
}
