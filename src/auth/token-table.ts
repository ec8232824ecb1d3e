import { createHash } from 'node:crypto';
import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { SettingsError, type SettingFault } from '../core/config/load-settings.js';
import type { TokenSetting } from '../core/config/settings.js';
import { DEFAULT_TENANT, ROLE_SCOPES, type Principal } from '../core/identity/principal.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';

/** Channels of a `user` whose credential names none (protocol.md section 3). */
const DEFAULT_USER_CHANNELS = ['webchat'];

/** Whom the shorthand `auth.token` speaks for. */
const OPERATOR_NAME = 'operator';

/**
 * The static tokens. Only digests are kept, and the look-up is by digest: how long it takes tells nothing about how much
 * of a guess was right, because nobody can steer the digest of a guess.
 */
export class TokenTable implements CredentialVerifier {
  private readonly principals = new Map<string, Principal>();
  private readonly toolPermissions = new Map<string, readonly string[]>();

  /** @throws SettingsError when a token holds a scope that its role does not have, or is given twice */
  constructor(config: ConfigStoreService) {
    const faults: SettingFault[] = [];
    for (const [i, setting] of config.get('auth.tokens').entries()) {
      const foreign = setting.scopes?.filter((scope) => !ROLE_SCOPES[setting.role].includes(scope)) ?? [];
      if (foreign.length > 0) {
        const message = `role ${setting.role} cannot hold ${foreign.join(', ')}; allowed: ${ROLE_SCOPES[setting.role].join(', ')}`;
        faults.push({ key: `auth.tokens[${i}].scopes`, message });
      }
      if (setting.tool_permissions) {
        this.toolPermissions.set(
          JSON.stringify([setting.tenant ?? DEFAULT_TENANT, setting.principal]),
          setting.tool_permissions,
        );
      }
      this.add(setting.token_sha256 ?? digest(setting.token ?? ''), toPrincipal(setting), `auth.tokens[${i}]`, faults);
    }
    const shorthand = config.get('auth.token');
    if (shorthand !== undefined) {
      this.add(digest(shorthand), toPrincipal({ principal: OPERATOR_NAME, role: 'operator' }), 'auth.token', faults);
    }
    if (faults.length > 0) throw new SettingsError(faults);
  }

  get isEmpty(): boolean {
    return this.principals.size === 0;
  }

  verify({ credential }: PresentedCredential): Verdict {
    return (credential.kind === 'token' ? this.find(credential.token) : undefined) ?? 'notMine';
  }

  find(token: string): Principal | undefined {
    return this.principals.get(digest(token));
  }

  /** What calls in the name of this principal may use at most; undefined when no token of it sets a limit. */
  findToolPermissions(tenant: string, name: string): readonly string[] | undefined {
    return this.toolPermissions.get(JSON.stringify([tenant, name]));
  }

  private add(sha256: string, principal: Principal, key: string, faults: SettingFault[]): void {
    if (this.principals.has(sha256)) faults.push({ key, message: 'is the same credential as an earlier one' });
    this.principals.set(sha256, principal);
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function toPrincipal(setting: TokenSetting): Principal {
  const { principal, role } = setting;
  return {
    tenant: setting.tenant ?? DEFAULT_TENANT,
    principal,
    role,
    scopes: new Set(setting.scopes ?? ROLE_SCOPES[role]),
    channels: setting.channels ?? (role === 'user' ? DEFAULT_USER_CHANNELS : undefined),
    sender: role === 'user' ? (setting.sender ?? principal) : undefined,
  };
}
