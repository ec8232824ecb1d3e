import { Injectable } from '@nestjs/common';
import { EXPIRES_SOON_MS, IdentityProblems } from '../auth/index.js';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { Principal } from '../core/identity/principal.js';
import { LastBackupService } from '../core/housekeeping/last-backup.service.js';
import { MemoryBudgetService } from '../core/limits/memory-budget.service.js';
import { NEAR_SHARE, QuotasService } from '../core/limits/quotas.service.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { ReachService } from '../core/reach/reach.service.js';
import { ALL_TENANTS, type TokenRecord } from '../core/store/index.js';
import { Clock } from '../core/time/clock.js';
import type { SEVERITIES } from './status.dto.js';

/** A warning about the current state. */
export interface Warning {
  readonly code: string;
  readonly severity: (typeof SEVERITIES)[number];
  /** Unix milliseconds. */
  readonly since: number;
  readonly sentence: string;
  /** A path of the API. */
  readonly link: string;
}

/** The sources of warnings besides those that this service reads itself. */
export interface WarningFacts {
  /** The error of a commit; undefined while the store can commit. */
  readonly storeError: unknown;
  readonly waiting: number;
  readonly oldestAgeMs: number;
  /** By channel. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Tokens that expire soon. */
  readonly expiring: readonly TokenRecord[];
}

/** Share of `queue.max_total` from which a warning is given. */
const FULL_SHARE = 0.8;

const NO_COMMITS = 'The store cannot commit; messages are refused';

/** Why a store cannot commit, by what its errors say. */
const STORE_REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/disk is full|ENOSPC/, 'its disk is full'],
  [/is locked|busy/i, 'another process has locked it'],
  [/readonly|EROFS|EACCES/, 'it may not be written to'],
  [/I\/O error|EIO/, 'its disk fails'],
];

/** Returns why the store cannot commit, after a colon; an empty text if it is not known. */
function explainStore(error: unknown): string {
  const { message, cause } = error as Error;
  const said = [message, (cause as Error | undefined)?.message].join(' ');
  const [, reason] = STORE_REASONS.find(([pattern]) => pattern.test(said)) ?? [];
  return reason === undefined ? '' : `: ${reason}`;
}

/** Age of a waiting message from which a warning is given, in milliseconds. */
const LATE_MS = 60_000;

/** Says what of an issuer cannot be had, and the effect. */
const WITHOUT = {
  keys: (issuer: string, isStale: boolean) =>
    `The keys of ${issuer} cannot be fetched, ${isStale ? 'its tokens cannot be checked' : 'those that are known are used for 10 minutes'}`,
  tokens: (issuer: string, isStale: boolean) =>
    `The tokens of ${issuer} cannot be requested, ${isStale ? 'sign-ins of pages are not renewed' : 'sign-ins of pages go on for 10 minutes'}`,
} as const;

/** Says in sentences what is wrong with the gateway. Since when is known of what was asked about before. */
@Injectable()
export class WarningsService {
  private readonly firstSeen = new Map<string, number>();

  // oxlint-disable-next-line max-params -- one for each part that is examined
  constructor(
    private readonly phase: PhaseService,
    private readonly channels: ChannelManagerService,
    private readonly config: ConfigStoreService,
    private readonly budget: MemoryBudgetService,
    private readonly reach: ReachService,
    private readonly identity: IdentityProblems,
    private readonly quotas: QuotasService,
    private readonly backup: LastBackupService,
    private readonly clock: Clock,
  ) {}

  /** Lists what concerns the caller, worst first, then the newest. */
  list({ tenant }: Principal, facts: WarningFacts): readonly Warning[] {
    const isWhole = tenant === ALL_TENANTS;
    const found = [
      ...this.ofQueue(facts),
      ...this.ofQuotas(tenant),
      ...ofTokens(facts),
      ...(isWhole ? this.ofProcess(facts) : []),
    ];
    const codes = new Set(found.map(({ key }) => key));
    if (isWhole) for (const key of this.firstSeen.keys()) if (!codes.has(key)) this.firstSeen.delete(key);
    return found
      .map(({ key, ...warning }) => ({ ...warning, since: warning.since ?? this.see(key) }))
      .toSorted((a, b) => a.severity.localeCompare(b.severity) || b.since - a.since);
  }

  private *ofQueue({ waiting, oldestAgeMs }: WarningFacts): Iterable<Finding> {
    if (oldestAgeMs < LATE_MS) return;
    yield {
      key: 'MESSAGES_WAIT',
      code: 'MESSAGES_WAIT',
      severity: 'warning',
      since: this.clock.now() - oldestAgeMs,
      sentence: describeWait(waiting, Math.round(oldestAgeMs / 1_000)),
      link: '/admin/v1/queue',
    };
  }

  private *ofQuotas(scope: string): Iterable<Finding> {
    for (const { tenant, quota, limit, used, resetsAt } of this.quotas.list(scope)) {
      if (used < limit * NEAR_SHARE) continue;
      const isUsedUp = used >= limit;
      const shown = `${Math.round(used * 100) / 100} of ${limit}, until ${new Date(resetsAt).toISOString()}`;
      const sentence = `The quota ${quota} of tenant ${tenant} is ${isUsedUp ? '' : 'nearly '}used up: ${shown}`;
      const path = `usage?tenant=${encodeURIComponent(tenant)}`;
      const code = isUsedUp ? 'QUOTA_REACHED' : 'QUOTA_NEAR';
      yield {
        ...toFinding(code, isUsedUp ? 'error' : 'warning', sentence, path),
        key: JSON.stringify([code, tenant, quota, resetsAt]),
      };
    }
  }

  private *ofProcess({ storeError, waiting, deadLetters }: WarningFacts): Iterable<Finding> {
    if (storeError !== undefined)
      yield toFinding('STORE_DOWN', 'error', `${NO_COMMITS}${explainStore(storeError)}`, 'status');
    if (this.phase.isDraining) yield toFinding('DRAINING', 'warning', 'This replica is shutting down', 'status');
    const max = this.config.get('queue.max_total');
    if (waiting >= max * FULL_SHARE)
      yield toFinding('QUEUE_FULL', 'error', `${waiting} of at most ${max} messages wait`, 'queue');
    if (this.budget.wasReached)
      yield toFinding(
        'MEMORY_LIMIT',
        'warning',
        'limits.buffered_bytes was reached within the last minute',
        'connections',
      );
    yield* this.ofIssuers();
    if (this.backup.problem !== undefined)
      yield toFinding('BACKUP_OLD', 'warning', capitalise(this.backup.problem), 'status');
    if (this.reach.problem !== undefined) yield toFinding('NOT_REACHABLE', 'error', this.reach.problem, 'tailscale');
    for (const [name, { state, reason, since }] of this.channels.states) {
      if (state === 'connected' || state === 'connecting') continue;
      const sentence = `The channel ${name} is ${state}${reason === undefined ? '' : `: ${reason}`}`;
      const severity = state === 'stopped' ? 'warning' : 'error';
      yield { ...toFinding('CHANNEL_DOWN', severity, sentence, 'channels'), key: `CHANNEL_DOWN ${name}`, since };
    }
    for (const [name, count] of Object.entries(deadLetters)) {
      const sentence = `${count} messages could not be delivered to ${name}`;
      yield {
        ...toFinding('DEAD_LETTERS', 'warning', sentence, `dead-letters?channel=${encodeURIComponent(name)}`),
        key: `DEAD_LETTERS ${name}`,
      };
    }
  }

  private *ofIssuers(): Iterable<Finding> {
    for (const { issuer, what, since, reason, isStale } of this.identity.list()) {
      const sentence = `${WITHOUT[what](issuer, isStale)}: ${reason}`;
      const finding = toFinding('KEYS_NOT_FETCHED', isStale ? 'error' : 'warning', sentence, 'status');
      yield { ...finding, key: `KEYS_NOT_FETCHED ${issuer}`, since };
    }
  }

  private see(key: string): number {
    const at = this.firstSeen.get(key) ?? this.clock.now();
    this.firstSeen.set(key, at);
    return at;
  }
}

function* ofTokens({ expiring }: WarningFacts): Iterable<Finding> {
  for (const { id, principal, expiresAt = Infinity } of expiring) {
    const sentence = `The token ${id} of ${principal} expires on ${new Date(expiresAt).toISOString()}`;
    const finding = toFinding('TOKEN_EXPIRES', 'warning', sentence, 'tokens');
    yield { ...finding, key: `TOKEN_EXPIRES ${id}`, since: expiresAt - EXPIRES_SOON_MS };
  }
}

/** A warning, whose beginning may not be known. */
interface Finding extends Omit<Warning, 'since'> {
  /** The key of the warning, the same in each response. */
  readonly key: string;
  readonly since?: number;
}

function toFinding(code: string, severity: Warning['severity'], sentence: string, path: string): Finding {
  return { key: code, code, severity, sentence, link: `/admin/v1/${path}` };
}

function capitalise(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function describeWait(count: number, seconds: number): string {
  return count === 1 ? `1 message waits, for ${seconds} s` : `${count} messages wait, the oldest for ${seconds} s`;
}
