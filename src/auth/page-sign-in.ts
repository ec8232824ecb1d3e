import { createHash, createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import type { Broker } from '../core/broker/broker.js';
import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { DEFAULT_TENANT, ROLE_SCOPES, type Principal } from '../core/identity/principal.js';
import type { Clock } from '../core/time/clock.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';

/** Lifetime of a sign-in code, in milliseconds. */
export const CODE_LIFETIME_MS = 60_000;
export const PAGE_TOKEN_LIFETIME_MS = 7 * 24 * 3_600_000;

/** Name of the principal, the sender and the channel of pages that were signed in by a code. */
const NAME = 'webchat';

/** The identity of pages that were signed in by a code. */
export const PAGE_PRINCIPAL = { tenant: DEFAULT_TENANT, principal: NAME } as const;

/** Prefix of these tokens, so that other tokens cost no key derivation. */
const PREFIX = 'page.';
const TOKEN = /^(page\.([0-9a-z]{1,10})\.[A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{43})$/;

const KEY_BYTES = 32;

/** Kind of the codes in the broker. */
const CODES = 'page sign-in';

/** A token, and when it expires in Unix milliseconds; the local token ends with the gateway's process. */
export interface PageToken {
  readonly token: string;
  readonly expiresAt?: number;
}

/**
 * Signs web pages in: exchanges a single-use code, valid for a minute, for a token of role `user`, which may only chat
 * as its own sender on channel `webchat`, for a week.
 *
 * Tokens are signed and not stored, so they survive a restart and are valid on every replica. The key is derived,
 * slowly, from the operators' configured tokens: to forge a page's token one needs a stronger token, and changing the
 * operators' tokens invalidates all page tokens. Digests (`token_sha256`) are not secret enough; if nothing else is
 * configured, the key is random for the life of the process. The broker keeps the codes, as digests.
 */
export class PageSignIn implements CredentialVerifier {
  private key: Buffer | undefined;

  /** @param readSecrets returns the operators' tokens, as far as they are known; called at first use */
  constructor(
    private readonly clock: Clock,
    private readonly broker: Broker,
    private readonly readSecrets: () => readonly string[],
  ) {}

  /** Issues a code of 22 characters that are valid in a URL fragment. @throws GatewayError STORE_UNAVAILABLE */
  async issueCode(): Promise<string> {
    const code = randomBytes(16).toString('base64url');
    await this.broker.keep(CODES, digestOf(code), '', CODE_LIFETIME_MS);
    return code;
  }

  /**
   * Exchanges a code for a token. Resolves with undefined if the code is unknown, used or expired.
   * @throws GatewayError STORE_UNAVAILABLE
   */
  async redeem(code: string): Promise<PageToken | undefined> {
    if ((await this.broker.take(CODES, digestOf(code))) === undefined) return undefined;
    const expiresAt = this.clock.now() + PAGE_TOKEN_LIFETIME_MS;
    const claim = `${PREFIX}${expiresAt.toString(36)}.${randomBytes(12).toString('base64url')}`;
    return { token: `${claim}.${this.sign(claim)}`, expiresAt };
  }

  verify({ credential }: PresentedCredential): Verdict {
    return (credential.kind === 'token' ? this.find(credential.token) : undefined) ?? 'notMine';
  }

  /** Returns the principal of a page token; undefined if the token is not one or has expired. */
  find(token: string): Principal | undefined {
    const [, claim, expiry, signature] = TOKEN.exec(token) ?? [];
    if (claim === undefined || expiry === undefined || signature === undefined) return undefined;
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(this.sign(claim)))) return undefined;
    const expiresAt = Number.parseInt(expiry, 36);
    return expiresAt > this.clock.now() ? toPrincipal(expiresAt) : undefined;
  }

  private sign(claim: string): string {
    this.key ??= deriveKey(this.readSecrets());
    return createHmac('sha256', this.key).update(claim).digest('base64url');
  }
}

/** Lists the configured tokens of operators that are known as text. */
export function listOperatorSecrets(config: ConfigStoreService): string[] {
  const operators = config
    .get('auth.tokens')
    .filter(
      ({ role, scopes, tenant = DEFAULT_TENANT }) =>
        role === 'operator' && scopes === undefined && tenant === DEFAULT_TENANT,
    );
  return [config.get('auth.token'), ...operators.map(({ token }) => token)].filter((token) => token !== undefined);
}

/** Slow on purpose (tens of milliseconds, once), so that a page's token does not help to guess a configured one. */
function deriveKey(secrets: readonly string[]): Buffer {
  if (secrets.length === 0) return randomBytes(KEY_BYTES);
  return scryptSync(secrets.toSorted().join('\n'), 'openclaw page tokens', KEY_BYTES);
}

function digestOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

function toPrincipal(expiresAt: number): Principal {
  return {
    ...PAGE_PRINCIPAL,
    role: 'user',
    scopes: new Set(ROLE_SCOPES.user),
    channels: [NAME],
    sender: NAME,
    expiresAt,
  };
}
