import type { QuotaDay } from './quota-day.js';
import type { TenantQuotas } from './tenants.settings.js';

/** The quotas that count for a day. */
export const DAILY_QUOTAS = ['messages_per_day', 'tokens_per_day', 'cost_per_day'] as const;
export type DailyQuota = (typeof DAILY_QUOTAS)[number];

/** Numbers of a day, by the quota that limits them. */
export type Amounts = Readonly<Record<DailyQuota, number>>;

export const NOTHING: Amounts = { messages_per_day: 0, tokens_per_day: 0, cost_per_day: 0 };

/**
 * The use of the daily quotas of a tenant today, in memory. A running turn holds back an estimate of what its next answer
 * uses, so that many turns at once do not pass the same rest of a quota.
 */
export class TenantSpending {
  private day: QuotaDay = { from: 0, to: 0 };
  private spent: Amounts = NOTHING;
  private readonly held = new Map<string, Amounts>();
  /** Wakes the turns that wait until another one gives back what it holds. */
  private readonly waiting = new Set<() => void>();

  /** @param findToday returns the day of a moment */
  constructor(private readonly findToday: (now: number) => QuotaDay) {}

  /** Returns what was used today. */
  readSpent(now: number): Amounts {
    this.turnOver(now);
    return this.spent;
  }

  /** Returns the day that counts now. */
  readDay(now: number): QuotaDay {
    this.turnOver(now);
    return this.day;
  }

  /** Sets what was used today at least: what the store knows of the time before this one counted. */
  restore(now: number, known: Amounts): void {
    this.turnOver(now);
    this.spent = combine(this.spent, known, Math.max);
  }

  add(now: number, amounts: Partial<Amounts>): void {
    this.turnOver(now);
    this.spent = combine(this.spent, { ...NOTHING, ...amounts }, (a, b) => Math.max(0, a + b));
  }

  /** Holds back what the next answer of a turn may use, in place of what the turn held before. */
  hold(turn: string, estimate: Amounts): void {
    this.held.set(turn, estimate);
  }

  /** Gives back what a turn holds, and wakes those that wait for it. */
  release(turn: string): void {
    if (this.held.delete(turn)) for (const wake of [...this.waiting]) wake();
  }

  /** Resolves when a turn gives back what it holds, or `signal` aborts. */
  async whenReleased(signal: AbortSignal): Promise<void> {
    if (this.held.size === 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  /** Forgets the day and what was used in it. What turns hold back stays. */
  forgetDay(): void {
    this.day = { from: 0, to: 0 };
  }

  /**
   * Returns the number of further turns for which the quotas suffice, if each reserves the average of the running ones.
   * Unlimited while none runs, and when a quota is used up, since each then ends at once.
   * @param taking number of turns that run, of which some may hold nothing yet
   */
  countRoom(now: number, quotas: TenantQuotas, taking: number): number {
    if (this.held.size === 0 || this.findUsedUp(now, quotas)) return Infinity;
    if (this.waiting.size > 0) return 0;
    const held = this.sumHeld();
    const rooms = DAILY_QUOTAS.map((quota) => {
      const rest = (quotas[quota] ?? Infinity) - this.spent[quota] - held[quota];
      return rest <= 0 ? 0 : Math.ceil((rest * this.held.size) / held[quota]);
    });
    return Math.max(0, Math.min(...rooms) - Math.max(0, taking - this.held.size));
  }

  /**
   * Finds the quota that is used up; undefined if none is.
   * @param turn undefined without a turn: then nothing that is held back counts. Else what the other turns hold back counts
   */
  findUsedUp(now: number, quotas: TenantQuotas, turn?: string): DailyQuota | undefined {
    const spent = this.readSpent(now);
    const used = turn === undefined ? spent : combine(spent, this.sumHeld(turn), (a, b) => a + b);
    return DAILY_QUOTAS.find((quota) => used[quota] >= (quotas[quota] ?? Infinity));
  }

  private sumHeld(except?: string): Amounts {
    let sum = NOTHING;
    for (const [turn, amounts] of this.held) if (turn !== except) sum = combine(sum, amounts, (a, b) => a + b);
    return sum;
  }

  private turnOver(now: number): void {
    if (now >= this.day.from && now < this.day.to) return;
    this.day = this.findToday(now);
    this.spent = NOTHING;
  }
}

function combine(one: Amounts, other: Amounts, by: (a: number, b: number) => number): Amounts {
  return {
    messages_per_day: by(one.messages_per_day, other.messages_per_day),
    tokens_per_day: by(one.tokens_per_day, other.tokens_per_day),
    cost_per_day: by(one.cost_per_day, other.cost_per_day),
  };
}
