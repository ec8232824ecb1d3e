import { hash } from 'node:crypto';
import { canonicalise } from '../store/canonical-json.js';

/**
 * Returns a hash of the type, session and payload of a message. The order of keys does not matter. The timestamp is not
 * included, so that a retry may have another one.
 */
export function hashBody(type: string, sessionId: string | undefined, payload: object): string {
  return hash('sha256', `${type}\n${sessionId ?? ''}\n${canonicalise(payload)}`, 'base64url');
}
