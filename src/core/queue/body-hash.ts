import { hash } from 'node:crypto';
import { canonicalise } from '../store/canonical-json.js';

/**
 * Fingerprint of what a message says: its type, session and payload, whatever the order of the keys. The timestamp is
 * not part of it, so a retry may carry a new one.
 */
export function hashBody(type: string, sessionId: string | undefined, payload: object): string {
  return hash('sha256', `${type}\n${sessionId ?? ''}\n${canonicalise(payload)}`, 'base64url');
}
