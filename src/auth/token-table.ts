import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { isOfAllTenants } from '../core/identity/all-tenants.js';
import { DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import { ALL_TENANTS } from '../core/store/index.js';
import { digest } from './digest.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';
import { toPrincipal } from './rights.js';

/** The principal of `auth.token`. */
const OPERATOR_NAME = 'operator';

/**
 * The static tokens. Stores and looks up digests only: the duration of a look-up reveals nothing about a token, because
 * the digest of a guess cannot be chosen.
 */
export class TokenTable implements CredentialVerifier {
  private readonly principals = new Map<string, Principal>();
  private readonly toolPermissions = new Map<string, readonly string[]>();

  constructor(private readonly config: ConfigStoreService) {
    for (const setting of config.get('auth.tokens')) {
      if (setting.tool_permissions) {
        this.toolPermissions.set(
          JSON.stringify([setting.tenant ?? DEFAULT_TENANT, setting.principal]),
          setting.tool_permissions,
        );
      }
      this.principals.set(setting.token_sha256 ?? digest(setting.token ?? ''), toPrincipal(setting));
    }
    const shorthand = config.get('auth.token');
    if (shorthand !== undefined) {
      this.principals.set(digest(shorthand), toPrincipal({ principal: OPERATOR_NAME, role: 'operator' }));
    }
  }

  get isEmpty(): boolean {
    return this.principals.size === 0;
  }

  verify({ credential }: PresentedCredential): Verdict {
    return (credential.kind === 'token' ? this.find(credential.token) : undefined) ?? 'notMine';
  }

  /** Returns whether a token of this principal exists, as it speaks in a tenant. */
  has(tenant: string, name: string): boolean {
    const tenants = this.listOrigins(tenant);
    return [...this.principals.values()].some((known) => known.principal === name && tenants.includes(known.tenant));
  }

  find(token: string): Principal | undefined {
    return this.principals.get(digest(token));
  }

  /**
   * Returns the permissions that calls of this principal are limited to; undefined if none of its tokens sets a limit.
   */
  findToolPermissions(tenant: string, name: string): readonly string[] | undefined {
    return this.listOrigins(tenant)
      .map((origin) => this.toolPermissions.get(JSON.stringify([origin, name])))
      .find((permissions) => permissions !== undefined);
  }

  /** Lists the tenants of the tokens that may speak in one: its own, and those whose operators see all tenants. */
  listOrigins(tenant: string): readonly string[] {
    const isDefaultOfAll = isOfAllTenants({ tenant: DEFAULT_TENANT }, this.config);
    return [tenant, ALL_TENANTS, ...(isDefaultOfAll ? [DEFAULT_TENANT] : [])];
  }
}
