import type { JSONWebKeySet } from 'jose';
import { ProviderDownError } from '../credential-verifier.js';
import { ClaimFault } from './read-claims.js';
import type { SigningKeys } from './signing-keys.js';

/** The unverified header and claims of a token. They select the key, and nothing else may depend on them. */
export interface TokenParts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A JSON object in base64url, then two more parts. No other text begins so: `{"` in base64url is `eyJ`. */
const JWT = /^(eyJ[A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/;

/** Types of tokens that are credentials. Others, such as `logout+jwt`, are made for another purpose. */
const TYPES = new Set(['jwt', 'at+jwt']);

type Jose = typeof import('jose');
let jose: Promise<Jose> | undefined;

/** Returns whether a text has the form of a JWT. */
export function isJwt(token: string): boolean {
  return JWT.test(token);
}

/** Returns the parts of a token. @throws ClaimFault */
export function decodeParts(token: string): TokenParts {
  const [, header = '', payload = ''] = JWT.exec(token) ?? [];
  return { header: decode(header, 'header'), payload: decode(payload, 'payload') };
}

function decode(part: string, name: string): TokenParts['payload'] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url'));
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as TokenParts['payload'];
  } catch {
    // The fault below says it.
  }
  throw new ClaimFault(`the ${name} is not an object in JSON`);
}

/** @param types lower-case types that are accepted; a token without a type is too */
export function checkType({ header }: TokenParts, types: ReadonlySet<string> = TYPES): void {
  const { typ } = header;
  if (typ === undefined) return;
  if (typeof typ === 'string' && types.has(typ.toLowerCase().replace(/^application\//, ''))) return;
  throw new ClaimFault('typ is that of a token for another purpose');
}

/**
 * Checks the signature of a token. Keys come from the issuer alone: `jku`, `jwk` and `x5u` of a header do not count.
 * @throws ClaimFault if it is wrong; UndecidedError if the key is not known yet, or cannot be used
 */
export async function checkSignature(token: string, keys: SigningKeys, algorithms: readonly string[]): Promise<void> {
  const seen = await keys.read();
  try {
    if (await tryKeys(token, seen, algorithms)) return;
  } catch (error) {
    if (!(error instanceof SignatureFault || error instanceof ProviderDownError)) throw error;
    // A provider that was set up again may have another key of the same name.
    const newer = await keys.readNewer(seen).catch(() => seen);
    if (newer === seen) throw error;
    if (await tryKeys(token, newer, algorithms)) return;
  }
  if (await tryKeys(token, await keys.readNewer(seen), algorithms)) return;
  throw new ClaimFault('kid: the issuer has no such key');
}

/** The signature is not one of the key that the token names. */
class SignatureFault extends ClaimFault {}

/** Returns false if no key fits. @throws ClaimFault; ProviderDownError if the key is none for this algorithm */
async function tryKeys(token: string, set: JSONWebKeySet, algorithms: readonly string[]): Promise<boolean> {
  const { compactVerify, createLocalJWKSet, errors } = await (jose ??= import('jose'));
  let find = resolvers.get(set);
  if (!find) resolvers.set(set, (find = createLocalJWKSet(set)));
  try {
    await compactVerify(token, find, { algorithms: [...algorithms] });
    return true;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return false;
    if (error instanceof errors.JWKSMultipleMatchingKeys) throw new ClaimFault('kid is missing, and several keys fit');
    if (error instanceof errors.JOSEAlgNotAllowed)
      throw new ClaimFault('alg is not one of the algorithms of the setting');
    if (error instanceof errors.JWSSignatureVerificationFailed)
      throw new SignatureFault(`the signature: ${error.message}`);
    if (error instanceof errors.JOSEError) throw new ClaimFault(`the signature: ${error.message}`);
    throw new ProviderDownError(`a key of the key set cannot be used: ${(error as Error).message}`, true);
  }
}

/** Imported keys by their set. */
const resolvers = new WeakMap<JSONWebKeySet, ReturnType<Jose['createLocalJWKSet']>>();
