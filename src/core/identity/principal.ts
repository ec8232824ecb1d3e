import { GatewayError, type Role, type Scope } from '../../protocol/domain.js';
import type { ClientKey } from '../store/index.js';

/** The result of authentication: the principal of a credential and its rights. */
export interface Principal {
  readonly tenant: string;
  readonly principal: string;
  readonly role: Role;
  readonly scopes: ReadonlySet<Scope>;
  /** Channels it is bound to; undefined for all. Never undefined for role `user`. */
  readonly channels: readonly string[] | undefined;
  /** The one sender that a `user` may be; undefined for other roles. */
  readonly sender: string | undefined;
  /** When the credential expires, in Unix milliseconds. */
  readonly expiresAt?: number;
  /** The name under which `LiveCredentialsService` ends its uses, of one that can end before `expiresAt`. */
  readonly credentialId?: string;
  /** When this form of the credential was issued, in Unix milliseconds. */
  readonly issuedAt?: number;
  /** The client that the credential is bound to, whatever the connection names. */
  readonly clientId?: string;
  /** True without a credential, in open mode: it has only some scopes of its role and decides on no approvals. */
  readonly isAssumed?: boolean;
}

/** Names that the gateway gives itself: to a page that was signed in by a code, and in open mode. */
const RESERVED_NAMES = new Set(['webchat', 'local']);
const RESERVED_PREFIX = /^(agent|cron|hook|node|tailscale):/;

/**
 * Returns whether a configured or foreign credential must not speak as `name`, because it would get the clients, uploads
 * and messages of another principal. `operator`, the name of the shorthand `auth.token`, is for operators.
 * @param drivers the channels whose drivers run in this gateway; each speaks as `channel:NAME`
 */
export function isReservedPrincipal(name: string, role: Role, drivers: readonly string[]): boolean {
  if (name === 'operator') return role !== 'operator';
  return (
    RESERVED_NAMES.has(name) || RESERVED_PREFIX.test(name) || drivers.some((driver) => name === `channel:${driver}`)
  );
}

/** Returns whether the gateway gives a name itself, to a page, a driver or a part of its own. The operator `local` is not one of them. */
export function isReservedName(name: string): boolean {
  return name === 'webchat' || name.startsWith('channel:') || RESERVED_PREFIX.test(name);
}

export const DEFAULT_TENANT = 'default';

/** The scopes that each role may hold. A credential without its own list has all of them. */
export const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  operator: [
    'messages:write',
    'presence:write',
    'channels:write',
    'sessions:read',
    'admin:read',
    'admin:write',
    'config:write',
    'config:dangerous',
    'tools:call',
    'tokens:write',
    'audit:read',
    'metrics:read',
  ],
  channel: ['messages:write', 'presence:write', 'channels:write', 'sessions:read'],
  user: ['messages:write', 'presence:write', 'sessions:read'],
  node: ['nodes:serve'],
};

/** The principal of the local token, which a gateway in open mode makes at its start. */
export const LOCAL_OPERATOR: Principal = {
  tenant: DEFAULT_TENANT,
  principal: 'local',
  role: 'operator',
  scopes: new Set(ROLE_SCOPES.operator),
  channels: undefined,
  sender: undefined,
};

/**
 * The principal of every other request in open mode: the same clients and sessions with fewer rights, because a proxy on
 * this machine makes the requests of everyone behind it direct ones.
 */
export const ASSUMED_OPERATOR: Principal = {
  ...LOCAL_OPERATOR,
  scopes: new Set(['messages:write', 'presence:write', 'channels:write', 'sessions:read']),
  isAssumed: true,
};

/** Why {@link ASSUMED_OPERATOR} is refused, for the caller. */
const NEEDS_LOCAL_TOKEN =
  'without a configured credential this needs the local token: the file local.token beside the store ' +
  '(usually data/local.token), or the link that the start of the gateway prints';

/**
 * Checks that a principal holds `scope`; undefined always passes.
 * @throws GatewayError FORBIDDEN
 */
export function checkScope(principal: Principal, scope: Scope | undefined): void {
  if (scope === undefined || principal.scopes.has(scope)) return;
  checkProven(principal);
  throw new GatewayError('FORBIDDEN', {
    reason: `this credential does not hold the scope ${scope}`,
    missing_scope: scope,
  });
}

/** Returns whether a principal may decide on approvals of the sessions that it may read. */
export function decidesApprovals({ role, isAssumed }: Principal): boolean {
  return role !== 'channel' && !isAssumed;
}

/**
 * Checks that a principal may decide on approvals.
 * @throws GatewayError FORBIDDEN
 */
export function checkDecides(principal: Principal): void {
  checkProven(principal);
  if (!decidesApprovals(principal))
    throw new GatewayError('FORBIDDEN', { reason: 'a channel credential cannot decide on approvals' });
}

/**
 * Checks that a principal has a credential.
 * @throws GatewayError FORBIDDEN
 */
export function checkProven({ isAssumed }: Principal): void {
  if (isAssumed) throw new GatewayError('FORBIDDEN', { reason: NEEDS_LOCAL_TOKEN });
}

/** Returns the identity of one of a principal's clients. */
export function clientKey(principal: Principal, clientId: string): ClientKey {
  return { tenant: principal.tenant, principal: principal.principal, clientId };
}
