import { hash } from 'node:crypto';

/**
 * Fingerprint of what a message says: its type, session and payload, whatever the order of the keys. The timestamp is
 * not part of it, so a retry may carry a new one.
 */
export function hashBody(type: string, sessionId: string | undefined, payload: object): string {
  return hash('sha256', `${type}\n${sessionId ?? ''}\n${canonicalise(payload)}`, 'base64url');
}

/** JSON with the keys of every object in one order. `value` holds no key `__proto__`, which no frame may have. */
export function canonicalise(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

/** Objects made anew and stringified at once cost a third of putting the text together by hand. */
function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) sorted[key] = sortKeys((value as Record<string, unknown>)[key]);
  return sorted;
}
