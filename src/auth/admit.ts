import { UnauthorizedException } from '@nestjs/common';
import { RetryLaterException } from '../http/problem.js';
import { GatewayError } from '../protocol/index.js';
import type { AuthFailure, ExplainedFailure } from './auth-failures.js';

/** When a caller may try again whose credential could not be verified, in milliseconds. */
const RETRY_AFTER_MS = 5_000;

/**
 * Returns the outcome of a successful authentication over HTTP; throws for a failure.
 * @param reason sent to an unauthorized caller
 * @throws UnauthorizedException, RetryLaterException, or GatewayError RATE_LIMITED
 */
export function admit<T extends object>(outcome: T | AuthFailure | ExplainedFailure, reason: string): T {
  if (typeof outcome === 'object' && 'publicReason' in outcome) throw new UnauthorizedException(outcome.publicReason);
  if (outcome === 'unauthorized') throw new UnauthorizedException(reason);
  if (outcome === 'throttled')
    throw new GatewayError('RATE_LIMITED', { limit: 'failed authentications from this address' });
  if (outcome === 'unavailable')
    throw new RetryLaterException('Credentials cannot be verified at the moment; try again later', RETRY_AFTER_MS);
  if (outcome === 'providerDown')
    throw new RetryLaterException(
      'The identity provider cannot be reached, so credentials cannot be verified; try again later',
      RETRY_AFTER_MS,
    );
  return outcome;
}
