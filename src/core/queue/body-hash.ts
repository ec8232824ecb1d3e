import { hash } from 'node:crypto';

/**
 * Fingerprint of what a message says: its type, session and payload, whatever the order of the keys. The timestamp is
 * not part of it, so a retry may carry a new one.
 */
export function hashBody(type: string, sessionId: string | undefined, payload: object): string {
  return hash('sha256', `${type}\n${sessionId ?? ''}\n${canonicalise(payload)}`, 'base64url');
}

/** JSON with the keys of every object in one order. */
export function canonicalise(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalise).join(',')}]`;
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalise((value as Record<string, unknown>)[key])}`);
  return `{${fields.join(',')}}`;
}
