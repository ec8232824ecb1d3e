/** Length of the periods by which usage is summed, in milliseconds: days of all time zones begin and end with one. */
export const USAGE_PERIOD_MS = 900_000;

/** Numbers of what models have used. `cost` is in the currency of `prices`. */
export interface UsageSums {
  /** Answers of models. */
  readonly answers: number;
  readonly inputTokens: number;
  /** Those of `inputTokens` that the provider had cached. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly cost: number;
}

/** The usage of one recorded answer of a model. It is added to the sums in the commit of its step. */
export interface StepUsage extends Omit<UsageSums, 'answers'> {
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
  readonly agent: string;
  /** `PROVIDER/MODEL`. */
  readonly model: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Selects usage. The times, in Unix milliseconds, count by the period that they lie in. */
export interface UsageQuery {
  /** Or `ALL_TENANTS`. */
  readonly tenant: string;
  /** The first period. */
  readonly from: number;
  /** The period after the last one begins at or after it. */
  readonly to: number;
}

/** The usage of one tenant, of one of its agents, or of one of its models. */
export interface UsageRow extends UsageSums {
  readonly tenant: string;
  /** The name of the agent or model; empty for a whole tenant. */
  readonly name: string;
}

/** A sender on a channel. */
export interface SenderKey {
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
}

/** A page of the usage of senders. It may have fewer than the limit, or none, and a `next`. */
export interface SenderUsagePage {
  readonly items: readonly (SenderKey & UsageSums)[];
  /** Present unless the list has ended. */
  readonly next?: SenderKey;
}

/**
 * The usage of models, summed by periods of {@link USAGE_PERIOD_MS}. Turns write it with their steps, so it counts each
 * answer once, also if its turn fails. Calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class UsageStore {
  /** Sums usage by tenant, and within a tenant by agent or model, sorted by tenant and name. */
  abstract sumUsage(query: UsageQuery, by: 'tenant' | 'agent' | 'model'): Promise<readonly UsageRow[]>;

  /** Lists the senders with usage, sorted by their keys. A call visits a bounded number of senders. */
  abstract listSenderUsage(
    query: UsageQuery & { readonly after?: SenderKey | undefined; readonly limit: number },
  ): Promise<SenderUsagePage>;

  /**
   * Counts the messages of a tenant that were queued since a time.
   * @param max the count at which it stops
   * @param exceptChannel the channel whose messages do not count
   */
  abstract countQueuedSince(tenant: string, since: number, max: number, exceptChannel: string): Promise<number>;

  /** Lists the tenants that have sessions, tokens or usage, sorted. */
  abstract listTenants(): Promise<readonly string[]>;
}
