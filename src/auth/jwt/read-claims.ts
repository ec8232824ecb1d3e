import { DEFAULT_TENANT, type Principal } from '../../core/identity/principal.js';
import { TENANT_NAME, TENANT_NAME_RULE } from '../../core/identity/tenant-name.js';
import { countCodePoints } from '../../protocol/code-points.js';
import type { Role } from '../../protocol/index.js';
import { toPrincipal } from '../rights.js';
import type { ClaimsSetting, GroupRights } from './jwt.settings.js';

/** The names and the meaning of the claims of an issuer. */
export interface ClaimRules {
  readonly issuer: string;
  readonly audience: string;
  readonly clockToleranceS: number;
  /** Undefined: by the role. */
  readonly maxLifetimeS: number | undefined;
  readonly claims: ClaimsSetting;
  /** Prefixes of the names of other issuers, which no one of this one may have. */
  readonly foreignPrefixes: readonly string[];
}

/** A token is not accepted. The message names the claim, and no value but that of `iss`, `aud` and times. */
export class ClaimFault extends Error {}

type Claims = Readonly<Record<string, unknown>>;

/** A principal that ends with its token. */
export type ClaimedPrincipal = Principal & { readonly expiresAt: number };

const DAY_S = 86_400;
/** Maximum lifetime of a token where no setting says otherwise: those of people are renewed, those of machines are kept. */
const LIFETIME_S: Readonly<Record<Role, number>> = {
  user: DAY_S,
  operator: DAY_S,
  channel: 30 * DAY_S,
  node: 30 * DAY_S,
};
/** Returns the group with the highest role. */
const RANK: readonly Role[] = ['operator', 'channel', 'user', 'node'];

const MAX_NAME_LENGTH = 256;
const MAX_SHOWN = 256;

/** Claims that are one text with several names (RFC 8693). */
const SPACED = new Set(['scope', 'scp']);

/**
 * Returns the principal of a token whose signature is right. Each token decides alone: the claims of an earlier one are
 * not kept.
 * @param payload parsed JSON; of a name that is there twice the last one counts
 * @param now Unix milliseconds
 * @throws ClaimFault
 */
export function readClaims(payload: unknown, rules: ClaimRules, now: number): ClaimedPrincipal {
  if (!isMap(payload)) throw new ClaimFault('the payload is not an object');
  checkIssuer(payload, rules.issuer);
  checkAudience(payload, rules.audience);
  const { expiresAt, issuedAtS, lifetimeS } = checkTimes(payload, rules.clockToleranceS, now / 1_000);
  const { principal: name = 'sub', tenant, sender } = rules.claims;
  const rights = findRights(payload, rules.claims);
  const maxLifetimeS = rules.maxLifetimeS ?? LIFETIME_S[rights.role];
  if (lifetimeS > maxLifetimeS)
    throw new ClaimFault(`exp is ${Math.round(lifetimeS)} s ahead, and at most ${maxLifetimeS} s are allowed`);
  const own = (claim: string) => withPrefix(readName(payload, claim), claim, rules);
  const hasSender = sender !== undefined && rights.role === 'user';
  return {
    ...toPrincipal({
      ...rights,
      principal: own(name),
      tenant: tenant === undefined ? DEFAULT_TENANT : readTenant(payload, tenant),
      ...(hasSender && { sender: own(sender) }),
    }),
    expiresAt,
    issuedAt: Math.floor(issuedAtS * 1_000),
  };
}

/** @throws ClaimFault with both names */
export function checkIssuer(payload: Claims, issuer: string): void {
  if (payload['iss'] !== issuer) throw new ClaimFault(describeIssuer(payload['iss'], [issuer]));
}

/** Says that a token is of another issuer than those that are known. */
export function describeIssuer(iss: unknown, known: readonly string[]): string {
  return `iss is ${show(iss)}, wanted ${known.map(show).join(' or ')}`;
}

/** Returns the prefixes of other issuers that a name of this one could begin with. */
export function findForeignPrefixes(own: string, prefixes: Iterable<string>): readonly string[] {
  return [...prefixes].filter((prefix) => prefix.length > own.length && prefix.startsWith(own));
}

/** `azp` does not count: with it, each client of the issuer would get in. */
export function checkAudience({ aud }: Claims, audience: string): void {
  const given: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (given.includes(audience)) return;
  const shown = given.map((value) => (typeof value === 'string' ? value : show(value))).join(', ');
  throw new ClaimFault(`aud is ${shown.slice(0, MAX_SHOWN) || 'empty'}, wanted ${audience}`);
}

/** The times of a token. */
interface Times {
  /** Unix milliseconds. */
  readonly expiresAt: number;
  /** Unix seconds. */
  readonly issuedAtS: number;
  readonly lifetimeS: number;
}

/** A token is valid until `exp` and not a second longer; the tolerance is for clocks that are behind that of the issuer. */
export function checkTimes(payload: Claims, toleranceS: number, nowS: number): Times {
  const exp = readTime(payload, 'exp');
  if (exp <= nowS) throw new ClaimFault(`exp was ${Math.ceil(nowS - exp)} s ago by the clock of this machine`);
  const issuedAtS = readTime(payload, 'iat');
  const checkAhead = (name: string, time: number) => {
    if (time - nowS <= toleranceS) return;
    const aheadS = Math.round(time - nowS);
    throw new ClaimFault(`${name} is ${aheadS} s ahead: this clock or that of the issuer is wrong`);
  };
  checkAhead('iat', issuedAtS);
  if ('nbf' in payload) checkAhead('nbf', readTime(payload, 'nbf'));
  return { expiresAt: Math.floor(exp * 1_000), issuedAtS, lifetimeS: exp - nowS };
}

function readTime(payload: Claims, name: string): number {
  const value = payload[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new ClaimFault(`${name} is missing or no number`);
}

function findRights(payload: Claims, claims: ClaimsSetting): GroupRights {
  const matching = listGroups(payload, claims.groups ?? 'groups').flatMap((group) =>
    Object.hasOwn(claims.roles, group) ? (claims.roles[group] ?? []) : [],
  );
  const role = RANK.find((candidate) => matching.some((rights) => rights.role === candidate));
  if (role === undefined) throw new ClaimFault('no mapped group: claims.roles has none of its groups');
  const same = matching.filter((rights) => rights.role === role);
  const scopes = join(same.map((rights) => rights.scopes));
  const channels = join(same.map((rights) => rights.channels));
  return { role, ...(scopes && { scopes }), ...(channels && { channels }) };
}

/** Returns what is in one of the lists; undefined if one is missing, which stands for all. */
function join<T>(lists: readonly (readonly T[] | undefined)[]): T[] | undefined {
  const present = lists.filter((list) => list !== undefined);
  return present.length < lists.length ? undefined : [...new Set(present.flat())];
}

/** An absent claim means no groups. One that the issuer has left out for its size is a fault. */
function listGroups(payload: Claims, name: string): readonly string[] {
  const elsewhere = payload['_claim_names'];
  const has = payload['hasgroups'];
  if ((isMap(elsewhere) && Object.hasOwn(elsewhere, name)) || (name === 'groups' && (has === true || has === 'true')))
    throw new ClaimFault(
      'groups overage: too many groups for the token, so the issuer has left them out; use app roles or a group filter',
    );
  const value = find(payload, name);
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return SPACED.has(name) ? value.split(' ') : [value];
  if (!Array.isArray(value)) throw new ClaimFault(`${name} is neither text nor a list`);
  return value.filter((group) => typeof group === 'string');
}

/** Returns a name as no other issuer can give it. @throws ClaimFault */
function withPrefix(name: string, claim: string, { claims, foreignPrefixes }: ClaimRules): string {
  const full = `${claims.prefix ?? ''}${name}`;
  if (foreignPrefixes.some((prefix) => full.startsWith(prefix)))
    throw new ClaimFault(`${claim} begins with the prefix of another issuer`);
  return full;
}

function readTenant(payload: Claims, name: string): string {
  const value = find(payload, name);
  if (typeof value === 'string' && TENANT_NAME.test(value)) return value;
  throw new ClaimFault(`the tenant claim ${name} is missing, or not ${TENANT_NAME_RULE}`);
}

function readName(payload: Claims, name: string): string {
  const value = find(payload, name);
  const isName =
    typeof value === 'string' &&
    value.isWellFormed() &&
    value !== '' &&
    countCodePoints(value) <= MAX_NAME_LENGTH &&
    !/\p{Cc}/u.test(value);
  if (isName) return value;
  throw new ClaimFault(
    `${name} is missing, or no text of 1 to ${MAX_NAME_LENGTH} characters without control characters`,
  );
}

/** Finds a claim by its name, which may have dots, or by a path. */
function find(payload: Claims, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name
    .split('.')
    .reduce<unknown>((at, key) => (isMap(at) && Object.hasOwn(at, key) ? at[key] : undefined), payload);
}

function isMap(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, MAX_SHOWN);
}
