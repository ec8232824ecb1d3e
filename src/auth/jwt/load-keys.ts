import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JSONWebKeySet, JWK } from 'jose';
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

/** Smaller keys of RSA check nothing (RFC 7518 section 3.3). In bits. */
const MIN_RSA_BITS = 2_048;

/** Returns the keys of a document that check signatures. @throws IssuerFault if there is none */
export function toKeySet(document: unknown): JSONWebKeySet {
  const { keys } = (document ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new IssuerFault('the key set has no list "keys"');
  const members = keys.filter(isObject).filter(checksSignatures);
  if (members.length === 0) throw new IssuerFault('the key set has no key that checks signatures');
  return { keys: members };
}

function isObject(value: unknown): value is JWK {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key may have all its members and be none: with a number that is no base64url, or a point beside its curve. */
function checksSignatures(key: JWK): boolean {
  if ((key.use ?? 'sig') !== 'sig') return false;
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey({
      key,
      format: 'jwk',
    });
    return type !== 'rsa' || (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
  } catch {
    return false;
  }
}
