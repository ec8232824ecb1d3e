import { isDeepStrictEqual } from 'node:util';
import type { SettingsReader } from '../core/config/section.js';
import { DEFAULT_TENANT, ROLE_SCOPES, type Principal } from '../core/identity/principal.js';
import { GatewayError } from '../protocol/index.js';
import type { TokenSetting } from './auth.settings.js';
import { listIssuers, type JwtSetting } from './jwt/jwt.settings.js';
import type { OidcSetting } from './oidc/oidc.settings.js';
import type { Rights } from './rights.js';
import { readRights } from './tailscale-users.js';

/**
 * Checks that a change of `auth.tokens`, `auth.token`, `auth.tailscale_users`, `auth.jwt`, `auth.jwt_issuers` and `auth.oidc` adds no credential with more rights than its
 * author has: no other scopes, channels or tools. Its tenant may be any: only operators of the default one change settings.
 * @param before the settings without the change
 * @param after the settings with the change
 * @throws GatewayError FORBIDDEN
 */
export function checkGrants(author: Principal, before: SettingsReader, after: SettingsReader): void {
  const known = before('auth.tokens');
  const added = after('auth.tokens').filter((token) => !known.some((other) => isDeepStrictEqual(token, other)));
  const limit = known.find((token) => isOf(author, token) && token.tool_permissions !== undefined)?.tool_permissions;
  for (const token of added) checkGrant(author, token, limit);
  const shorthand = after('auth.token');
  if (shorthand !== undefined && shorthand !== before('auth.token'))
    checkGrant(author, { principal: 'operator', role: 'operator' }, limit);
  const users = before('auth.tailscale_users');
  for (const [login, rights] of Object.entries(after('auth.tailscale_users')))
    if (!isDeepStrictEqual(users[login], rights))
      checkGrant(author, { principal: login, ...readRights(rights) }, limit);
  const trusted = listProviders(before);
  for (const provider of listProviders(after)) {
    // With another issuer, each entry is for other people.
    if (trusted.some((other) => isDeepStrictEqual(provider, other))) continue;
    for (const [group, rights] of Object.entries(provider.claims.roles))
      checkGrant(author, { principal: group, ...rights }, limit);
  }
}

function listProviders(get: SettingsReader): readonly (JwtSetting | OidcSetting)[] {
  const page = get('auth.oidc');
  return [...listIssuers(get), ...(page ? [page] : [])];
}

/**
 * Checks that a credential has no more rights than its author.
 * @param limit the tools that the author is limited to; undefined if it is not
 * @throws GatewayError FORBIDDEN
 */
export function checkGrant(
  author: Principal,
  token: Rights & { readonly tool_permissions?: readonly string[] | undefined },
  limit: readonly string[] | undefined,
): void {
  const excess = [
    ...(token.scopes ?? ROLE_SCOPES[token.role]).filter(
      (scope) => !author.scopes.has(scope) && scope !== 'nodes:serve',
    ),
    ...findOutside(author.channels, token.channels).map((name) => `channel ${name}`),
    ...findOutside(limit, token.tool_permissions).map((name) => `tool permission ${name}`),
  ];
  if (excess.length === 0) return;
  throw new GatewayError('FORBIDDEN', {
    reason: `a credential cannot have more rights than the one that makes it: ${excess.join(', ')}`,
  });
}

/** Returns the names in `wanted` that are not in `allowed`; a missing list means all names. */
function findOutside(allowed: readonly string[] | undefined, wanted: readonly string[] | undefined): readonly string[] {
  if (allowed === undefined) return [];
  return wanted === undefined ? ['any'] : wanted.filter((name) => !allowed.includes(name));
}

function isOf(author: Principal, { principal, tenant = DEFAULT_TENANT }: TokenSetting): boolean {
  return principal === author.principal && tenant === author.tenant;
}
