import Type, { type Static } from 'typebox';
import type { SettingFault, SettingsReader } from '../core/config/section.js';
import { DEFAULT_TENANT, ROLE_SCOPES, type Principal } from '../core/identity/principal.js';
import { Role, SCOPES } from '../protocol/index.js';

/** The rights of users of a tailnet. */
const UserRights = Type.Union([
  Role,
  Type.Object(
    { role: Role, scopes: Type.Optional(Type.Array(Type.Enum([...SCOPES]))) },
    { additionalProperties: false },
  ),
]);
export const TailscaleUsers = Type.Record(Type.String({ pattern: String.raw`^[^\s\x00-\x1f]{1,200}$` }), UserRights);
export type TailscaleUsers = Static<typeof TailscaleUsers>;

/** Begins the names of these principals. */
const PREFIX = 'tailscale:';
/** The channel of people without another one. */
const USER_CHANNELS = ['webchat'];

/**
 * Returns the principal of a login: that of its own entry, else of the longest pattern that it matches. In a pattern `*` is any
 * text. Undefined if there is none.
 */
export function findTailscaleUser(users: TailscaleUsers, login: string): Principal | undefined {
  const patterns = Object.keys(users).sort((one, other) => other.length - one.length);
  const key = Object.hasOwn(users, login) ? login : patterns.find((pattern) => matches(pattern, login));
  const rights = key === undefined ? undefined : users[key];
  if (rights === undefined) return undefined;
  const { role, scopes } = readRights(rights);
  const principal = `${PREFIX}${login}`;
  const isUser = role === 'user';
  return {
    tenant: DEFAULT_TENANT,
    principal,
    role,
    scopes: new Set(scopes),
    channels: isUser ? USER_CHANNELS : undefined,
    sender: isUser ? principal : undefined,
  };
}

/** Returns the login of a principal; undefined if it is of another kind. */
export function loginOf(principal: string): string | undefined {
  return principal.startsWith(PREFIX) ? principal.slice(PREFIX.length) : undefined;
}

/** Returns the role and the scopes of an entry. */
export function readRights(rights: TailscaleUsers[string]) {
  const { role, scopes } = typeof rights === 'string' ? { role: rights } : { scopes: undefined, ...rights };
  return { role, scopes: scopes ?? ROLE_SCOPES[role] };
}

/** Checks that each entry has only scopes of its role. */
export function findUserFaults(get: SettingsReader): SettingFault[] {
  return Object.entries(get('auth.tailscale_users')).flatMap(([login, rights]) => {
    const { role, scopes } = readRights(rights);
    const foreign = scopes.filter((scope) => !ROLE_SCOPES[role].includes(scope));
    if (foreign.length === 0) return [];
    const message = `role ${role} cannot hold ${foreign.join(', ')}; allowed: ${ROLE_SCOPES[role].join(', ')}`;
    return [{ key: `auth.tailscale_users.${login}`, message }];
  });
}

function matches(pattern: string, login: string): boolean {
  if (!pattern.includes('*')) return false;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop() ?? '';
  if (!login.startsWith(first) || !login.endsWith(last) || login.length < first.length + last.length) return false;
  let at = first.length;
  const end = login.length - last.length;
  for (const part of rest) {
    const found = login.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
