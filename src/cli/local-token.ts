import { readFileSync } from 'node:fs';
import type { Environment } from '../core/config/section.js';
import { TOKEN_PATTERN } from '../protocol/constants.js';
import { findLocalTokenPlace, findStoreUrl } from '../settings.js';

/** Reads the local token of the gateway whose settings are those of this folder. Returns undefined if there is none. */
export function readLocalToken(environment: Environment): string | undefined {
  try {
    const url = findStoreUrl(environment);
    const token = url === undefined ? '' : readFileSync(findLocalTokenPlace(url).path, 'utf8').trim();
    return TOKEN_PATTERN.test(token) ? token : undefined;
  } catch {
    // Without settings or file, or with those of another user: the gateway says what is missing.
    return undefined;
  }
}
