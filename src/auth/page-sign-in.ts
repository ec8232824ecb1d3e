import { createHash, createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import type { Broker } from '../core/broker/broker.js';
import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { DEFAULT_TENANT, ROLE_SCOPES, type Principal } from '../core/identity/principal.js';
import type { Clock } from '../core/time/clock.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';

/** How long a sign-in code is good for, and the token that it is exchanged for, in milliseconds. */
export const CODE_LIFETIME_MS = 60_000;
export const PAGE_TOKEN_LIFETIME_MS = 7 * 24 * 3_600_000;

/** Whom a page speaks for that was signed in by a code: its channel, its principal and its sender have one name. */
const NAME = 'webchat';

/** Marks tokens of this kind, so that a guess at another kind costs no key derivation. */
const PREFIX = 'page.';
const TOKEN = /^(page\.([0-9a-z]{1,10})\.[A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{43})$/;

const KEY_BYTES = 32;

/** The kind of value that the broker keeps for codes. */
const CODES = 'page sign-in';

/** A token, and when it ends in Unix milliseconds. */
export interface PageToken {
  readonly token: string;
  readonly expiresAt: number;
}

/**
 * Signs web pages in: a code that works once and for a minute is exchanged for a token of role `user`, which may do
 * nothing but chat as its own sender on channel `webchat`, for a week.
 *
 * Tokens are signed and not kept, so they survive a restart and count on every replica. The key is derived from the
 * operators' configured tokens, slowly: whoever could forge a page's token holds a stronger one already, and changing
 * the operators' tokens ends all pages. Digests (`token_sha256`) are not secret enough for that; where nothing else is
 * configured, the key is made up for the life of the process. Codes are kept by the broker, as digests.
 */
export class PageSignIn implements CredentialVerifier {
  private key: Buffer | undefined;

  /** @param secrets the operators' tokens, as far as they are known */
  constructor(
    private readonly clock: Clock,
    private readonly broker: Broker,
    private readonly secrets: readonly string[],
  ) {}

  /** Returns a new code: 22 characters that a URL fragment may hold. @throws GatewayError STORE_UNAVAILABLE */
  async issueCode(): Promise<string> {
    const code = randomBytes(16).toString('base64url');
    await this.broker.keep(CODES, digestOf(code), '', this.clock.now() + CODE_LIFETIME_MS);
    return code;
  }

  /**
   * Takes a code. Returns undefined when there is none such, when it was used before, and when it has expired.
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

  /** Whom a token speaks for; undefined when it is none of these or has expired. */
  find(token: string): Principal | undefined {
    const [, claim, expiry, signature] = TOKEN.exec(token) ?? [];
    if (claim === undefined || expiry === undefined || signature === undefined) return undefined;
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(this.sign(claim)))) return undefined;
    const expiresAt = Number.parseInt(expiry, 36);
    return expiresAt > this.clock.now() ? toPrincipal(expiresAt) : undefined;
  }

  private sign(claim: string): string {
    this.key ??= deriveKey(this.secrets);
    return createHmac('sha256', this.key).update(claim).digest('base64url');
  }
}

/** Lists the configured tokens, as far as they are known, whose holders may do all that a page may, and more. */
export function listOperatorSecrets(config: ConfigStoreService): string[] {
  const operators = config
    .get('auth.tokens')
    .filter(
      ({ role, scopes, tenant = DEFAULT_TENANT }) =>
        role === 'operator' && scopes === undefined && tenant === DEFAULT_TENANT,
    );
  return [config.get('auth.token'), ...operators.map(({ token }) => token)].filter((token) => token !== undefined);
}

/** Slow on purpose (tens of milliseconds, once): a token of a page must not help to guess a configured one. */
function deriveKey(secrets: readonly string[]): Buffer {
  if (secrets.length === 0) return randomBytes(KEY_BYTES);
  return scryptSync(secrets.toSorted().join('\n'), 'openclaw page tokens', KEY_BYTES);
}

function digestOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

function toPrincipal(expiresAt: number): Principal {
  return {
    tenant: DEFAULT_TENANT,
    principal: NAME,
    role: 'user',
    scopes: new Set(ROLE_SCOPES.user),
    channels: [NAME],
    sender: NAME,
    expiresAt,
  };
}
