import type { DatabaseSync } from 'node:sqlite';
import {
  ALL_TENANTS,
  USAGE_PERIOD_MS,
  type SenderKey,
  type SenderUsagePage,
  type StepUsage,
  type UsageQuery,
  type UsageRow,
  type UsageSums,
} from '../../../core/store/index.js';
import { startPage } from './page-bounds.js';
import { prepare, required } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

/** Time for which usage is kept, in milliseconds: 400 days, for a comparison with the year before. */
const KEPT_MS = 400 * 24 * 3_600_000;

/** The tables of version 29: sums of what models have used, by the beginning of a period, once by agent and once by sender. */
export const USAGE_SCHEMA = `
  CREATE TABLE usage (
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    model TEXT NOT NULL,
    answers INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost REAL NOT NULL,
    PRIMARY KEY (tenant, at, agent, model)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_by_time ON usage (at);
  CREATE TABLE usage_of_senders (
    tenant TEXT NOT NULL,
    channel TEXT NOT NULL,
    sender TEXT NOT NULL,
    at INTEGER NOT NULL,
    answers INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost REAL NOT NULL,
    PRIMARY KEY (tenant, channel, sender, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_of_senders_by_time ON usage_of_senders (at);
`;

const ADD_UP = `ON CONFLICT DO UPDATE SET answers = answers + 1, input_tokens = input_tokens + excluded.input_tokens,
  cached_tokens = cached_tokens + excluded.cached_tokens, output_tokens = output_tokens + excluded.output_tokens,
  cost = cost + excluded.cost`;

const SUMS = `total(answers) AS answers, total(input_tokens) AS inputTokens, total(cached_tokens) AS cachedTokens,
  total(output_tokens) AS outputTokens, total(cost) AS cost`;

/** The operations of `UsageStore`. */
export class UsageOperations {
  private readonly statements;

  constructor(database: DatabaseSync) {
    this.statements = prepareAll(database);
  }

  /** Explains how the statements of lists read, for tests. */
  static readonly statements = (): readonly string[] => [NEXT_SENDER, SUM_OF_SENDER];

  /** Adds what an answer has used, within the transaction of its step. */
  add({ tenant, channel, sender, agent, model, at, ...used }: StepUsage): void {
    const period = periodOf(at);
    const numbers = [used.inputTokens, used.cachedTokens, used.outputTokens, used.cost];
    this.statements.add.run(tenant, period, agent, model, ...numbers);
    this.statements.addOfSender.run(tenant, channel, sender, period, ...numbers);
  }

  sum({ tenant, from, to }: UsageQuery, by: 'tenant' | 'agent' | 'model'): UsageRow[] {
    return this.statements.sum[by].all(tenant, periodOf(from), to);
  }

  listSenders({
    tenant,
    from,
    to,
    after = { tenant: tenant === ALL_TENANTS ? '' : tenant, channel: '', sender: '' },
    limit,
  }: UsageQuery & { readonly after?: SenderKey | undefined; readonly limit: number }): SenderUsagePage {
    const items: (SenderKey & UsageSums)[] = [];
    const isOver = startPage();
    let position = after;
    for (;;) {
      const key = this.statements.nextSender.get(position.tenant, position.channel, position.sender);
      if (!key || (tenant !== ALL_TENANTS && key.tenant !== tenant)) return { items };
      position = key;
      const sums = required(this.statements.sumOfSender.get(key.tenant, key.channel, key.sender, periodOf(from), to));
      if (sums.answers > 0) items.push({ ...key, ...sums });
      if (isOver() || items.length === limit) return { items, next: position };
    }
  }

  countQueuedSince(tenant: string, since: number, max: number, exceptChannel: string): number {
    return required(this.statements.countQueued.get(since, tenant, exceptChannel, max)).count;
  }

  listTenants(): string[] {
    return this.statements.tenants.all().map(({ tenant }) => tenant);
  }

  /** Removes what a person has used, in an erasure; the sums of the tenant stay. */
  eraseSender({ tenant, channel, sender }: SenderKey): void {
    this.statements.eraseSender.run(tenant, channel, sender);
  }

  /** Deletes usage that is too old, within the budget. Returns true if there may be more. */
  sweep(now: number, budget: SweepBudget): boolean {
    const before = now - KEPT_MS;
    return [this.statements.sweep, this.statements.sweepSenders].some(
      (statement) => !budget.repeat(() => Number(statement.run(before, MAX_STEP_ROWS).changes)),
    );
  }
}

function periodOf(at: number): number {
  return Math.floor(at / USAGE_PERIOD_MS) * USAGE_PERIOD_MS;
}

const COUNTS = 'answers, input_tokens, cached_tokens, output_tokens, cost';

function prepareAll(database: DatabaseSync) {
  const sumBy = (name: string) =>
    prepare<UsageRow>(
      database,
      `SELECT tenant, ${name} AS name, ${SUMS} FROM usage
       WHERE (?1 = '${ALL_TENANTS}' OR tenant = ?1) AND at >= ?2 AND at < ?3 GROUP BY 1, 2 ORDER BY 1, 2`,
    );
  return {
    add: prepare(
      database,
      `INSERT INTO usage (tenant, at, agent, model, ${COUNTS}) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?) ${ADD_UP}`,
    ),
    addOfSender: prepare(
      database,
      `INSERT INTO usage_of_senders (tenant, channel, sender, at, ${COUNTS}) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?) ${ADD_UP}`,
    ),
    sum: { tenant: sumBy("''"), agent: sumBy('agent'), model: sumBy('model') },
    nextSender: prepare<SenderKey>(database, NEXT_SENDER),
    sumOfSender: prepare<UsageSums>(database, SUM_OF_SENDER),
    countQueued: prepare<{ count: number }>(database, COUNT_QUEUED),
    tenants: prepare<{ tenant: string }>(database, TENANTS),
    eraseSender: prepare(database, 'DELETE FROM usage_of_senders WHERE tenant = ? AND channel = ? AND sender = ?'),
    sweep: prepare(
      database,
      `DELETE FROM usage WHERE (tenant, at, agent, model) IN
         (SELECT tenant, at, agent, model FROM usage WHERE at < ? LIMIT ?)`,
    ),
    sweepSenders: prepare(
      database,
      `DELETE FROM usage_of_senders WHERE (tenant, channel, sender, at) IN
         (SELECT tenant, channel, sender, at FROM usage_of_senders WHERE at < ? LIMIT ?)`,
    ),
  };
}

/** Lists the tenants of a table along an index that begins with them, so that it reads one row for each. */
function listOf(table: string): string {
  return `SELECT tenant FROM (
    WITH RECURSIVE found (tenant) AS (
      SELECT min(tenant) FROM ${table}
      UNION ALL SELECT (SELECT min(tenant) FROM ${table} WHERE tenant > found.tenant) FROM found
        WHERE found.tenant IS NOT NULL
    ) SELECT tenant FROM found WHERE tenant IS NOT NULL)`;
}

const NEXT_SENDER = `SELECT tenant, channel, sender FROM usage_of_senders WHERE (tenant, channel, sender) > (?, ?, ?)
  ORDER BY tenant, channel, sender LIMIT 1`;

const SUM_OF_SENDER = `SELECT ${SUMS} FROM usage_of_senders
  WHERE tenant = ? AND channel = ? AND sender = ? AND at >= ? AND at < ?`;

const TENANTS = `${listOf('sessions')} UNION ${listOf('access_tokens')} UNION ${listOf('usage')} ORDER BY tenant`;

/** Messages are numbered in the order of acceptance, so those since a time come after the newest one before it. */
const COUNT_QUEUED = `SELECT count(*) AS count FROM (
  SELECT 1 FROM messages JOIN sessions USING (session)
  WHERE ord > coalesce((SELECT ord FROM messages WHERE received_at < ?1 ORDER BY ord DESC LIMIT 1), 0)
    AND tenant = ?2 AND channel <> ?3
    AND (EXISTS (SELECT 1 FROM replies WHERE replies.ord = messages.ord)
      OR EXISTS (SELECT 1 FROM queue WHERE queue.ord = messages.ord))
  LIMIT ?4)`;
