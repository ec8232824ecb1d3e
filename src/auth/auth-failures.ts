import { Injectable } from '@nestjs/common';
import { Broker } from '../core/broker/broker.js';
import type { Principal } from '../core/identity/principal.js';
import { RateBuckets } from '../core/limits/rate-buckets.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { countEach, Metrics, type Counter } from '../core/telemetry/metrics.js';
import { Clock } from '../core/time/clock.js';
import { limitKey } from '../http/addresses.js';
import type { RequestFacts } from '../http/request-facts.js';
import type { Verdict } from './credential-verifier.js';
import type { CredentialName } from './credentials.js';

/** Failed authentications per address and minute, over all kinds of credentials. */
export const MAX_FAILURES_PER_MINUTE = 20;

const OUTCOMES = ['unauthorized', 'throttled', 'unavailable'] as const;

/**
 * A verifier could not decide, which does not count as a failure. `providerDown`: as an identity provider cannot be asked;
 * `unavailable`: for another reason.
 */
export type Undecided = 'unavailable' | 'providerDown';

/**
 * - `unauthorized`: no valid credential.
 * - `throttled`: no valid credential, and the address has reached its limit of failures.
 * - {@link Undecided}: it is not known whether the credential is valid.
 */
export type AuthFailure = 'unauthorized' | 'throttled' | Undecided;

/** A failure whose reason the owner of the credential receives. */
export interface ExplainedFailure {
  readonly publicReason: string;
}

/**
 * Limits failed authentications per address, over all kinds of credentials. Each replica has its share of the limit.
 */
@Injectable()
export class AuthFailures {
  private readonly buckets: RateBuckets;
  private readonly counted: Readonly<Record<(typeof OUTCOMES)[number], Counter>>;
  private readonly log: Log;

  constructor(
    clock: Clock,
    private readonly broker: Broker,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.buckets = new RateBuckets(clock);
    this.log = logs.for('auth');
    this.counted = countEach(metrics, {
      name: 'openclaw_auth_failures_total',
      help: 'Requests without a valid credential, by outcome.',
      label: 'outcome',
      values: OUTCOMES,
    });
  }

  /** Records a failure and returns how the request fails. */
  note(facts: RequestFacts, credential: CredentialName, verdict: Exclude<Verdict, Principal> | Undecided): AuthFailure {
    if (isUndecided(verdict)) {
      this.counted.unavailable.add();
      return verdict;
    }
    const failure = this.take(facts);
    this.counted[failure].add();
    if (failure === 'unauthorized') {
      const reason = typeof verdict === 'object' ? verdict.refused : undefined;
      this.log.info({ address: facts.clientAddress, credential, reason }, 'authentication failed');
    }
    return failure;
  }

  private take(facts: RequestFacts): 'unauthorized' | 'throttled' {
    const perMinute = this.broker.shareOf(MAX_FAILURES_PER_MINUTE);
    return this.buckets.take(limitKey(facts.clientAddress), perMinute) > 0 ? 'throttled' : 'unauthorized';
  }
}

/** Returns whether a verifier could not decide. */
export function isUndecided(outcome: unknown): outcome is Undecided {
  return outcome === 'unavailable' || outcome === 'providerDown';
}
