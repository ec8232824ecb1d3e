import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { QUESTION_CHANNEL } from '../sessions/question-channel.js';
import {
  isInScope,
  UsageStore,
  type NewMessage,
  type StepUsage,
  type TurnRooms,
  type UsageSums,
} from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { countEach, Metrics, type Counter } from '../telemetry/metrics.js';
import { Clock } from '../time/clock.js';
import { costOf } from './prices.js';
import { findDay } from './quota-day.js';
import { DAILY_QUOTAS, TenantSpending, type Amounts, type DailyQuota } from './tenant-spending.js';
import type { TenantQuotas } from './tenants.settings.js';

/** Share of a quota from which a warning is given. */
export const NEAR_SHARE = 0.8;

/** Number of warnings that are known as logged. */
const MAX_WARNED = 10_000;

/** The quotas that turns wait for. */
const LIMITING_TURNS = ['turns', 'tokens_per_day', 'cost_per_day'] as const;

/** The rest of a tenant's quotas when a message is accepted. */
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
  /** Resolves when what the store knows of today is counted. */
  private counted = Promise.resolve();
  /** The tenants whose turns are limited. */
  private limitedTenants: readonly string[] = [];

  constructor(
    private readonly config: ConfigStoreService,
    private readonly usage: UsageStore,
    private readonly clock: Clock,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('queue');
    this.refusals = countEach(metrics, {
      name: 'openclaw_quota_refusals_total',
      help: 'Messages and turns that were refused because a quota of their tenant was used up.',
      label: 'quota',
      values: DAILY_QUOTAS,
    });
  }

  @StartStep({ name: 'count what tenants have used today', phase: 'follow' })
  async start(): Promise<Undo> {
    const stops = [
      this.config.watch('tenants', () => this.reload()),
      this.config.watch('quotas.timezone', () => {
        for (const spending of this.spendings.values()) spending.forgetDay();
        this.reload();
      }),
    ];
    await this.load();
    return () => stops.forEach((stop) => stop());
  }

  /** Resolves when the last change of the settings counts, with what tenants had used before it. */
  whenCounted(): Promise<void> {
    return this.counted;
  }

  /**
   * Returns how many more turns each tenant may run: as many as its quota of turns allows, and as find something left of its
   * daily quotas. Tenants that are not in it are not limited; undefined if none is.
   * @param running the tenant of each turn that runs
   */
  readRooms(running: () => readonly string[]): TurnRooms | undefined {
    if (this.limitedTenants.length === 0) return undefined;
    const tenants = running();
    const rooms = this.limitedTenants.map((tenant) => {
      const taking = tenants.filter((other) => other === tenant).length;
      return [tenant, this.countRoom(tenant, taking)] as const;
    });
    return new Map(rooms.filter(([, room]) => room < Infinity));
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
    const quota = spending.findUsedUp(now, isCounted ? quotas : ofTurns(quotas));
    if (quota) return { perTenant: 0, refusal: this.refuse(tenant, quota), giveBack: () => {} };
    const count = (messages: number) => isCounted && spending.add(this.clock.now(), { messages_per_day: messages });
    count(1);
    this.warn(tenant, quotas);
    return { perTenant: quotas.queued, refusal: undefined, giveBack: () => count(-1) };
  }

  /**
   * Holds back what the next answer of a turn may use. Returns false, and the turn holds nothing, if other turns hold back all
   * that is left: it must wait until {@link whenReleased}. The turn of an agent that was asked never waits, since the one that
   * asks holds something until it is done.
   * @throws GatewayError QUOTA_EXCEEDED if the quota is used up
   */
  hold(
    tenant: string,
    turn: { readonly messageRef: string; readonly isAsked: boolean },
    model: string | undefined,
    tokens: { readonly input: number; readonly output: number },
  ): boolean {
    const quotas = this.quotasOf(tenant);
    if (!quotas) return true;
    const { messageRef, isAsked } = turn;
    const spending = this.spendingOf(tenant);
    const now = this.clock.now();
    const usedUp = spending.findUsedUp(now, ofTurns(quotas));
    const isLeft = !usedUp && (isAsked || !spending.findUsedUp(now, ofTurns(quotas), messageRef));
    if (!isLeft) spending.release(messageRef);
    if (usedUp) {
      this.refusals[usedUp].add();
      throw this.refuse(tenant, usedUp);
    }
    const used = { inputTokens: tokens.input, cachedTokens: 0, outputTokens: tokens.output };
    if (isLeft) spending.hold(messageRef, { messages_per_day: 0, ...this.amountsOf(model, used) });
    return isLeft;
  }

  /** Resolves when a turn of the tenant gives back what it holds, or `signal` aborts. */
  whenReleased(tenant: string, signal: AbortSignal): Promise<void> {
    return this.spendingOf(tenant).whenReleased(signal);
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

  private countRoom(tenant: string, taking: number): number {
    const { turns = Infinity, ...quotas } = this.quotasOf(tenant) ?? {};
    return Math.min(turns - taking, this.spendingOf(tenant).countRoom(this.clock.now(), ofTurns(quotas), taking));
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

  private reload(): void {
    this.counted = this.load();
  }

  private async load(): Promise<void> {
    const tenants = Object.entries(this.config.get('tenants'));
    this.limitedTenants = tenants.flatMap(([tenant, { quotas = {} }]) =>
      LIMITING_TURNS.some((quota) => quotas[quota] !== undefined) ? [tenant] : [],
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

/** Returns the quotas that what turns use counts for. */
function ofTurns(quotas: TenantQuotas): TenantQuotas {
  const { messages_per_day: _, ...rest } = quotas;
  return rest;
}
