import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JSONWebKeySet } from 'jose';
import type { Clock } from '../../core/time/clock.js';
import type { EgressFetch } from '../../http/egress-fetch.js';
import { discover, readAddress } from './discovery.js';
import { requestDocument } from './request-json.js';

/** Where the keys of an issuer are: at an address, in a file, or where the issuer says. */
export interface KeysPlace {
  readonly issuer: string;
  readonly jwks_url?: string | undefined;
  readonly jwks_file?: string | undefined;
}

/** Loads the keys of an issuer. @param folder relative paths count from it @throws Error */
export async function loadKeys(
  { issuer, jwks_url: url, jwks_file: file }: KeysPlace,
  folder: string,
  fetch: EgressFetch,
  clock: Clock,
): Promise<JSONWebKeySet> {
  if (file !== undefined) return toKeySet(JSON.parse(await readFile(resolve(folder, file), 'utf8')));
  const address = url ?? readAddress(await discover(fetch, clock, issuer), 'jwks_uri');
  return toKeySet(await requestDocument(fetch, clock, address));
}

/** Returns the keys of a document. Members that are not keys are skipped where keys are looked for. @throws Error if there is no list */
export function toKeySet(document: unknown): JSONWebKeySet {
  const { keys } = (document ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('the key set has no list "keys"');
  const members = keys.filter((key): key is object => typeof key === 'object' && key !== null && !Array.isArray(key));
  return { keys: members };
}
