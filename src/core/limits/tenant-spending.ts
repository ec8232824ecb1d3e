import type { QuotaDay } from './quota-day.js';
import type { TenantQuotas } from './tenants.settings.js';

/** The quotas that count for a day. */
export const DAILY_QUOTAS = ['messages_per_day', 'tokens_per_day', 'cost_per_day'] as const;
export type DailyQuota = (typeof DAILY_QUOTAS)[number];

/** Numbers of a day, by the quota that limits them. */
export type Amounts = Readonly<Record<DailyQuota, number>>;

export const NOTHING: Amounts = { messages_per_day: 0, tokens_per_day: 0, cost_per_day: 0 };

/**
 * What a tenant has used of its daily quotas today, in memory. A running turn holds back an estimate of what its next answer
 * uses, so that many turns at once do not pass the same rest of a quota.
 */
export class TenantSpending {
  private day: QuotaDay = { from: 0, to: 0 };
  private spent: Amounts = NOTHING;
  private readonly held = new Map<string, Amounts>();

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

  release(turn: string): void {
    this.held.delete(turn);
  }

  /**
   * Finds the quota that is used up; undefined if none is.
   * @param turn undefined without a turn: then nothing that is held back counts. Else what the other turns hold back counts
   */
  findUsedUp(now: number, quotas: TenantQuotas, turn?: string): DailyQuota | undefined {
    let used = this.readSpent(now);
    if (turn !== undefined)
      for (const [other, amounts] of this.held) if (other !== turn) used = combine(used, amounts, (a, b) => a + b);
    return DAILY_QUOTAS.find((quota) => used[quota] >= (quotas[quota] ?? Infinity));
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
