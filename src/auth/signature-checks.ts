import { Injectable } from '@nestjs/common';
import { RateBuckets } from '../core/limits/rate-buckets.js';
import { Clock } from '../core/time/clock.js';
import { limitKey } from '../http/addresses.js';
import type { RequestFacts } from '../http/request-facts.js';
import { UndecidedError } from './credential-verifier.js';

/** Maximum number of signatures that are checked for one address in a minute, of all kinds of credentials. */
export const MAX_CHECKS_PER_MINUTE = 600;

/** Bounds what an address can make the gateway compute: anyone can send a signature, and only its check shows that it is wrong. */
@Injectable()
export class SignatureChecks {
  private readonly checks: RateBuckets;

  constructor(clock: Clock) {
    this.checks = new RateBuckets(clock);
  }

  /** Counts a check. @throws UndecidedError if the address has had too many */
  take({ clientAddress }: Pick<RequestFacts, 'clientAddress'>): void {
    if (this.checks.take(limitKey(clientAddress), MAX_CHECKS_PER_MINUTE) > 0)
      throw new UndecidedError('too many signatures were checked for this address');
  }
}
