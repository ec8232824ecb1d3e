import { ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';
import { GatewayError } from '../protocol/index.js';
import type { AuthFailure } from './auth-failures.js';

/**
 * Returns what an HTTP caller was admitted with, a principal or a token.
 * @param reason sent to a caller who is unauthorized
 * @throws UnauthorizedException, ServiceUnavailableException, or GatewayError RATE_LIMITED
 */
export function admit<T extends object>(outcome: T | AuthFailure, reason: string): T {
  if (outcome === 'unauthorized') throw new UnauthorizedException(reason);
  if (outcome === 'throttled')
    throw new GatewayError('RATE_LIMITED', { limit: 'failed authentications from this address' });
  if (outcome === 'unavailable')
    throw new ServiceUnavailableException('Credentials cannot be verified at the moment; try again later');
  return outcome;
}
