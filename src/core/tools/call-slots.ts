/** Maximum number of waiting calls of one session. Further calls fail at once. */
const MAX_WAITING_PER_SESSION = 256;

/** Maximum number of waiting calls of all sessions. Calls over MCP are not bounded by the number of turns. */
const MAX_WAITING = 4_096;

/** The tenant and the session of a call. */
export interface SlotUser {
  readonly tenant: string;
  readonly session: string;
}

interface Waiter extends SlotUser {
  readonly wake: () => void;
}

/**
 * Limits the number of tool calls that run at the same time, fairly among sessions and tenants.
 *
 * One session takes at most half of the slots. A tenant that runs less than an eighth of the limit gets a slot even when
 * all are taken, up to twice the limit in total. Of the waiting calls, the tenant and then the session with the fewest
 * running calls goes first; equals go in the order of arrival.
 */
export class CallSlots {
  private taken = 0;
  private readonly byTenant = new Map<string, number>();
  private readonly bySession = new Map<string, number>();
  private readonly waiting: Waiter[] = [];

  /** @param limit called for each decision, so that a change takes effect at once */
  constructor(private readonly limit: () => number) {}

  /**
   * Waits for a slot. Resolves with a function that frees it, with `aborted` when the signal aborts first, or with `full`
   * when too many calls wait already, of the session or of all.
   */
  async enter(user: SlotUser, signal: AbortSignal): Promise<(() => void) | 'aborted' | 'full'> {
    if (signal.aborted) return 'aborted';
    if (!this.mayRun(user)) {
      if (this.waiting.length >= MAX_WAITING || this.countWaiting(user) >= MAX_WAITING_PER_SESSION) return 'full';
      if (!(await this.wait(user, signal))) return 'aborted';
    } else this.take(user, 1);
    return () => {
      this.take(user, -1);
      this.wakeNext();
    };
  }

  private countWaiting(user: SlotUser): number {
    return this.waiting.filter(({ session }) => session === user.session).length;
  }

  private mayRun({ tenant, session }: SlotUser): boolean {
    const limit = this.limit();
    if (count(this.bySession, session) >= Math.ceil(limit / 2)) return false;
    if (this.taken < limit) return true;
    return this.taken < 2 * limit && count(this.byTenant, tenant) < Math.max(1, Math.floor(limit / 8));
  }

  private take({ tenant, session }: SlotUser, by: 1 | -1): void {
    this.taken += by;
    add(this.byTenant, tenant, by);
    add(this.bySession, session, by);
  }

  /** Resolves with true when a slot was taken for the call, or with false when the signal aborted. */
  private wait(user: SlotUser, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        ...user,
        wake: () => {
          signal.removeEventListener('abort', onAbort);
          resolve(true);
        },
      };
      const onAbort = () => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        resolve(false);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.push(waiter);
    });
  }

  /** Gives free slots to waiting calls. There may be several when the limit was raised. */
  private wakeNext(): void {
    for (;;) {
      const [next] = this.waiting.filter((waiter) => this.mayRun(waiter)).toSorted((a, b) => this.compare(a, b));
      if (!next) return;
      this.waiting.splice(this.waiting.indexOf(next), 1);
      this.take(next, 1);
      next.wake();
    }
  }

  /** Sorting is stable, so equals keep the order of arrival. */
  private compare(a: SlotUser, b: SlotUser): number {
    return (
      count(this.byTenant, a.tenant) - count(this.byTenant, b.tenant) ||
      count(this.bySession, a.session) - count(this.bySession, b.session)
    );
  }
}

function count(counts: ReadonlyMap<string, number>, key: string): number {
  return counts.get(key) ?? 0;
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const sum = count(counts, key) + by;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}
