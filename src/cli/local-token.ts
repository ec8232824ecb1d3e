import { readFileSync } from 'node:fs';
import type { Environment } from '../core/config/section.js';
import { findLocalTokenPath, findStoreUrl } from '../settings.js';

/** Reads the local token of the gateway whose settings are those of this folder. Returns undefined if there is none. */
export function readLocalToken(environment: Environment): string | undefined {
  try {
    const url = findStoreUrl(environment);
    return url === undefined ? undefined : readFileSync(findLocalTokenPath(url), 'utf8').trim() || undefined;
  } catch {
    // Without settings or file, or with those of another user: the gateway says what is missing.
    return undefined;
  }
}
