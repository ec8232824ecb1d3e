import { hash, timingSafeEqual } from 'node:crypto';

/** Compares a secret, or a signature, with what a request has, in constant time. Their lengths may differ. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));
}
