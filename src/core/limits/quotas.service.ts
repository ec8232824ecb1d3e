import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { QUESTION_CHANNEL } from '../sessions/session-key.js';
import { isInScope, UsageStore, type NewMessage, type StepUsage, type UsageSums } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { bindEach, Metrics, type Counter } from '../telemetry/metrics.js';
import { Clock } from '../time/clock.js';
import { costOf } from './prices.js';
import { findDay } from './quota-day.js';
import { DAILY_QUOTAS, TenantSpending, type Amounts, type DailyQuota } from './tenant-spending.js';
import type { TenantQuotas } from './tenants.settings.js';

/** Share of a quota from which a warning is given. */
export const NEAR_SHARE = 0.8;

/** Number of warnings that are known as logged. */
const MAX_WARNED = 10_000;

/** What a message finds when it is accepted: the rest of its tenant's quotas. */
export interface Admission {
  /** Messages that may wait or run; 0 if a daily quota is used up. Undefined if they are not limited. */
  readonly perTenant: number | undefined;
  /** Why only repeats are taken. */
  readonly refusal: GatewayError<'QUOTA_EXCEEDED'> | undefined;
  /** Takes the message back from the count of the day: it was not queued. */
  giveBack(): void;
}

/** A quota of a tenant, and how much of it is used today. */
export interface QuotaState {
  readonly tenant: string;
  readonly quota: DailyQuota;
  readonly limit: number;
  readonly used: number;
  /** When the next day begins, in Unix milliseconds. */
  readonly resetsAt: number;
}

type UsedUpListener = (state: QuotaState) => void;

/**
 * The quotas of tenants. What a tenant has used today is counted in memory, from what the store knows at the start. Each replica
 * counts for itself, and a day may be passed by at most one answer of each turn that runs. Tenants without quotas cost nothing.
 */
@Injectable()
export class QuotasService {
  private readonly log: Log;
  private readonly spendings = new Map<string, TenantSpending>();
  private readonly warned = new Set<string>();
  private readonly refusals: Readonly<Record<DailyQuota, Counter>>;
  private readonly listeners: UsedUpListener[] = [];
  private limitedTurns: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly config: ConfigStoreService,
    private readonly usage: UsageStore,
    private readonly clock: Clock,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('queue');
    const refusals = metrics.counter({
      name: 'openclaw_quota_refusals_total',
      help: 'Messages and turns that were refused because a quota of their tenant was used up.',
      labels: ['quota'],
    });
    this.refusals = bindEach(refusals, 'quota', DAILY_QUOTAS);
  }

  @StartStep({ name: 'count what tenants have used today', phase: 'follow' })
  async start(): Promise<Undo> {
    const stops = [
      this.config.watch('tenants', () => void this.load()),
      this.config.watch('quotas.timezone', () => {
        this.spendings.clear();
        void this.load();
      }),
    ];
    await this.load();
    return () => stops.forEach((stop) => stop());
  }

  /** By tenant: the number of turns that it may run at once. Tenants that it does not have are not limited. */
  get turnLimits(): ReadonlyMap<string, number> {
    return this.limitedTurns;
  }

  /** Returns whether a tenant has quotas. */
  isLimited(tenant: string): boolean {
    return this.quotasOf(tenant) !== undefined;
  }

  /** Calls a listener when a daily quota of a tenant is used up, once a day. It must not throw. */
  onUsedUp(listener: UsedUpListener): void {
    this.listeners.push(listener);
  }

  /** Counts a message that is about to be stored. Returns undefined if no quota applies: its tenant has none, or it decides on a call. */
  admit({ client: { tenant }, session, ruling }: NewMessage): Admission | undefined {
    const quotas = this.quotasOf(tenant);
    if (!quotas || ruling) return undefined;
    const now = this.clock.now();
    const spending = this.spendingOf(tenant);
    // A question of one agent to another belongs to the message of a person, which was counted.
    const isCounted = session.channel !== QUESTION_CHANNEL;
    const { messages_per_day: _, ...others } = quotas;
    const quota = spending.findUsedUp(now, isCounted ? quotas : others);
    if (quota) return { perTenant: 0, refusal: this.refuse(tenant, quota), giveBack: () => {} };
    const count = (messages: number) => isCounted && spending.add(this.clock.now(), { messages_per_day: messages });
    count(1);
    this.warn(tenant, quotas);
    return { perTenant: quotas.queued, refusal: undefined, giveBack: () => count(-1) };
  }

  /**
   * Holds back what the next answer of a turn may use.
   * @throws GatewayError QUOTA_EXCEEDED if nothing is left besides what other turns hold back
   */
  hold(tenant: string, messageRef: string, model: string | undefined, tokens: { input: number; output: number }): void {
    const quotas = this.quotasOf(tenant);
    if (!quotas) return;
    const { messages_per_day: _, ...ofTurns } = quotas;
    const spending = this.spendingOf(tenant);
    const quota = spending.findUsedUp(this.clock.now(), ofTurns, messageRef);
    if (quota) {
      spending.release(messageRef);
      this.refusals[quota].add();
      throw this.refuse(tenant, quota);
    }
    const used = { inputTokens: tokens.input, cachedTokens: 0, outputTokens: tokens.output };
    spending.hold(messageRef, { messages_per_day: 0, ...this.amountsOf(model, used) });
  }

  /** Gives back what a turn holds. */
  release(tenant: string, messageRef: string): void {
    this.spendings.get(tenant)?.release(messageRef);
  }

  /** Returns what an answer costs by the prices of now. */
  price(model: string, used: Pick<UsageSums, 'inputTokens' | 'cachedTokens' | 'outputTokens'>): number {
    return costOf(this.config.get('prices')[model], used);
  }

  /** Counts what an answer has used. */
  note({ tenant, model, inputTokens, outputTokens, cost }: StepUsage): void {
    const quotas = this.quotasOf(tenant);
    if (!quotas) return;
    if (quotas.cost_per_day !== undefined) this.checkPrice(tenant, model);
    const amounts = { tokens_per_day: inputTokens + outputTokens, cost_per_day: cost };
    this.spendingOf(tenant).add(this.clock.now(), amounts);
    this.warn(tenant, quotas);
  }

  /** Lists the daily quotas of a tenant, or of `ALL_TENANTS`, with what is used of them. */
  list(scope: string): readonly QuotaState[] {
    return Object.keys(this.config.get('tenants'))
      .filter((tenant) => isInScope(scope, tenant))
      .flatMap((tenant) => this.listOf(tenant, this.quotasOf(tenant) ?? {}));
  }

  /** Returns the day that quotas count by now. */
  readDay(): { readonly from: number; readonly to: number } {
    return findDay(this.clock.now(), this.config.get('quotas.timezone'));
  }

  countRefusal(error: GatewayError<'QUOTA_EXCEEDED'>): void {
    this.refusals[error.details.quota as DailyQuota].add();
  }

  private quotasOf(tenant: string): TenantQuotas | undefined {
    const tenants = this.config.get('tenants');
    return Object.hasOwn(tenants, tenant) ? tenants[tenant]?.quotas : undefined;
  }

  private spendingOf(tenant: string): TenantSpending {
    let spending = this.spendings.get(tenant);
    if (!spending) {
      spending = new TenantSpending((now) => findDay(now, this.config.get('quotas.timezone')));
      this.spendings.set(tenant, spending);
    }
    return spending;
  }

  private amountsOf(
    model: string | undefined,
    used: Pick<UsageSums, 'inputTokens' | 'cachedTokens' | 'outputTokens'>,
  ): Omit<Amounts, 'messages_per_day'> {
    const cost = model === undefined ? 0 : this.price(model, used);
    return { tokens_per_day: used.inputTokens + used.outputTokens, cost_per_day: cost };
  }

  private refuse(tenant: string, quota: DailyQuota): GatewayError<'QUOTA_EXCEEDED'> {
    const { to } = this.spendingOf(tenant).readDay(this.clock.now());
    return new GatewayError('QUOTA_EXCEEDED', { quota, resets_at: to });
  }

  private listOf(tenant: string, quotas: TenantQuotas): QuotaState[] {
    const now = this.clock.now();
    const spending = this.spendingOf(tenant);
    const used = spending.readSpent(now);
    const { to: resetsAt } = spending.readDay(now);
    return DAILY_QUOTAS.flatMap((quota) => {
      const limit = quotas[quota];
      return limit === undefined ? [] : [{ tenant, quota, limit, used: used[quota], resetsAt }];
    });
  }

  /** Logs once a day that a quota is nearly used up, and that it is. */
  private warn(tenant: string, quotas: TenantQuotas): void {
    for (const state of this.listOf(tenant, quotas)) {
      const { quota, limit, used, resetsAt } = state;
      if (used < limit * NEAR_SHARE) continue;
      const isUsedUp = used >= limit;
      const key = JSON.stringify([tenant, quota, resetsAt, isUsedUp]);
      if (this.warned.has(key)) continue;
      // Those of days that are over are forgotten with the rest.
      if (this.warned.size >= MAX_WARNED) this.warned.clear();
      this.warned.add(key);
      const fields = { tenant, quota, used, limit, resets_at: resetsAt };
      this.log.warn(fields, isUsedUp ? 'a quota of a tenant is used up' : 'a quota of a tenant is nearly used up');
      if (isUsedUp) for (const listener of this.listeners) listener(state);
    }
  }

  /** Logs once that a model costs nothing: a quota of money does not limit it. */
  private checkPrice(tenant: string, model: string): void {
    const key = JSON.stringify(['price', model]);
    if (Object.hasOwn(this.config.get('prices'), model) || this.warned.has(key)) return;
    this.warned.add(key);
    this.log.warn({ tenant, model }, 'a model has no price in the settings, so cost_per_day does not limit it');
  }

  private async load(): Promise<void> {
    const tenants = Object.entries(this.config.get('tenants'));
    this.limitedTurns = new Map(
      tenants.flatMap(([tenant, { quotas }]) => (quotas?.turns === undefined ? [] : [[tenant, quotas.turns]])),
    );
    try {
      for (const [tenant, { quotas }] of tenants) if (quotas) await this.restore(tenant, quotas);
    } catch (error) {
      this.log.warn({ error }, 'what tenants have used today could not be read; it counts from now on');
    }
  }

  private async restore(tenant: string, { messages_per_day: max }: TenantQuotas): Promise<void> {
    const { from, to } = this.readDay();
    const [sums] = await this.usage.sumUsage({ tenant, from, to }, 'tenant');
    const messages = max === undefined ? 0 : await this.usage.countQueuedSince(tenant, from, max, QUESTION_CHANNEL);
    this.spendingOf(tenant).restore(this.clock.now(), {
      messages_per_day: messages,
      tokens_per_day: (sums?.inputTokens ?? 0) + (sums?.outputTokens ?? 0),
      cost_per_day: sums?.cost ?? 0,
    });
  }
}
