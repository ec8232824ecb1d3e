import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { listDrivers } from '../core/channels/channels.settings.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { LiveCredentialsService } from '../core/identity/live-credentials.service.js';
import { isReservedPrincipal, ROLE_SCOPES, type Principal } from '../core/identity/principal.js';
import { TOKEN_PREFIX } from '../core/identity/token-prefix.js';
import { PrincipalDirectory } from '../core/identity/principal-directory.js';
import { CredentialStore, type TokenQuery, type TokenRecord } from '../core/store/index.js';
import { Clock, DAY_MS } from '../core/time/clock.js';
import { GatewayError, type PayloadFault } from '../protocol/index.js';
import { digest } from './digest.js';
import { checkGrant } from './grants.js';
import type { Rights } from './rights.js';
import { credentialIdOf } from './run-time-tokens.js';

/** Tokens that a tenant may have. */
export const MAX_TOKENS = 10_000;

const TOKEN_BYTES = 32;

/** Time before the end of a token from which the status warns of it, in milliseconds. */
export const EXPIRES_SOON_MS = 7 * DAY_MS;
/** Lifetime from which people may forget that a token ends, in milliseconds. */
const LASTING_MS = 2 * EXPIRES_SOON_MS;
/** Maximum number of tokens that the status warns of. */
const MAX_WARNED = 20;

/** A token to make. */
export interface TokenWish extends Rights {
  readonly tenant: string;
  /** Unix milliseconds; absent: never. */
  readonly expiresAt?: number | undefined;
}

/** Makes, lists and revokes tokens at run time. */
@Injectable()
export class TokenAdministrationService {
  constructor(
    private readonly store: CredentialStore,
    private readonly directory: PrincipalDirectory,
    private readonly live: LiveCredentialsService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a token. It is in the result and nowhere else: the store has its digest.
   * @throws GatewayError INVALID_PAYLOAD; FORBIDDEN for more rights than `author` has; RATE_LIMITED if the tenant has
   * {@link MAX_TOKENS}
   */
  async create(author: Principal, wish: TokenWish): Promise<{ readonly record: TokenRecord; readonly token: string }> {
    const faults = this.findFaults(wish);
    if (faults.length > 0) throw new GatewayError('INVALID_PAYLOAD', { faults });
    checkGrant(author, wish, this.directory.findToolPermissions(author.tenant, author.principal));
    const now = this.clock.now();
    const token = `${TOKEN_PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    const record: TokenRecord = {
      id: `t${now.toString(36).padStart(9, '0')}${randomBytes(4).toString('hex')}`,
      tenant: wish.tenant,
      principal: wish.principal,
      role: wish.role,
      // As they are now: a scope that a later version adds to a role is not given to tokens that exist.
      scopes: wish.scopes ?? ROLE_SCOPES[wish.role],
      channels: wish.channels,
      sender: wish.sender,
      createdAt: now,
      createdBy: author.principal,
      expiresAt: wish.expiresAt,
    };
    if (!(await this.store.addToken(record, digest(token), MAX_TOKENS)))
      throw new GatewayError('RATE_LIMITED', { limit: `${MAX_TOKENS} tokens of a tenant` });
    return { record, token };
  }

  /** Lists the tokens of a tenant, or of `ALL_TENANTS`, the oldest first. */
  list(page: TokenQuery): Promise<readonly TokenRecord[]> {
    return this.store.listTokens(page);
  }

  /**
   * Lists the tokens of a tenant, or of `ALL_TENANTS`, that end within {@link EXPIRES_SOON_MS}, the soonest first. Those that
   * were made for a short time are left out.
   */
  async listExpiring(tenant: string): Promise<readonly TokenRecord[]> {
    const soon = await this.store.listExpiringTokens(tenant, EXPIRES_SOON_MS, 10 * MAX_WARNED);
    return soon
      .filter(({ createdAt, expiresAt = Infinity }) => expiresAt - createdAt >= LASTING_MS)
      .slice(0, MAX_WARNED);
  }

  /**
   * Revokes a token of a tenant, or of `ALL_TENANTS`: it is refused from now on, and its connections end.
   * @throws GatewayError NOT_FOUND
   */
  async revoke(tenant: string, id: string, actor: string): Promise<void> {
    if (!(await this.store.removeToken(tenant, id, actor)))
      throw new GatewayError('NOT_FOUND', { what: `token ${id}` });
    this.live.end(credentialIdOf(id));
  }

  private findFaults({ principal, role, scopes = [], sender, expiresAt }: TokenWish): PayloadFault[] {
    const drivers = listDrivers(this.config.list().map(({ key }) => key));
    const foreign = scopes.filter((scope) => !ROLE_SCOPES[role].includes(scope));
    const fault = (isWrong: boolean, pointer: string, message: string) => (isWrong ? [{ pointer, message }] : []);
    return [
      ...fault(
        isReservedPrincipal(principal, role, drivers),
        '/principal',
        'is reserved for the gateway itself; choose another name',
      ),
      ...fault(
        foreign.length > 0,
        '/scopes',
        `role ${role} cannot hold ${foreign.join(', ')}; allowed: ${ROLE_SCOPES[role].join(', ')}`,
      ),
      ...fault(sender !== undefined && role !== 'user', '/sender', 'is for role user only'),
      ...fault((expiresAt ?? Infinity) <= this.clock.now(), '/expires_at', 'must be in the future'),
    ];
  }
}
