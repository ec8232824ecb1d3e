import { DEFAULT_TENANT, ROLE_SCOPES, type Principal } from '../core/identity/principal.js';
import type { Role, Scope } from '../protocol/index.js';

/** Default channels of role `user` (protocol.md section 3). */
const DEFAULT_USER_CHANNELS = ['webchat'];

/** The rights of a credential. An absent one has the default of the role. */
export interface Rights {
  readonly principal: string;
  readonly role: Role;
  readonly scopes?: readonly Scope[] | undefined;
  readonly tenant?: string | undefined;
  readonly channels?: readonly string[] | undefined;
  readonly sender?: string | undefined;
}

/** Returns the principal with these rights. */
export function toPrincipal({ principal, role, scopes, tenant, channels, sender }: Rights): Principal {
  return {
    tenant: tenant ?? DEFAULT_TENANT,
    principal,
    role,
    scopes: new Set(scopes ?? ROLE_SCOPES[role]),
    channels: channels ?? (role === 'user' ? DEFAULT_USER_CHANNELS : undefined),
    sender: role === 'user' ? (sender ?? principal) : undefined,
  };
}
