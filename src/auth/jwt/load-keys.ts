import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JSONWebKeySet } from 'jose';
import type { Clock } from '../../core/time/clock.js';
import type { EgressFetch } from '../../http/egress/egress-fetch.js';
import { discover, readAddress } from './discovery.js';
import { IssuerFault, requestDocument } from './request-json.js';

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

/** Returns the keys of a document. Other members are left out. @throws IssuerFault if there is none that checks signatures */
export function toKeySet(document: unknown): JSONWebKeySet {
  const { keys } = (document ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new IssuerFault('the key set has no list "keys"');
  const members = keys.filter(isObject);
  if (!members.some(checksSignatures)) throw new IssuerFault('the key set has no key that checks signatures');
  return { keys: members };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of public keys by their type (RFC 7518 section 6, RFC 8037). */
const PUBLIC_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
]);

function checksSignatures(key: Readonly<Record<string, unknown>>): boolean {
  const { kty, use = 'sig' } = key;
  const members = use === 'sig' ? PUBLIC_MEMBERS.get(kty) : undefined;
  return members?.every((name) => typeof key[name] === 'string') ?? false;
}
