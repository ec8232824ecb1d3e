import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { DEFAULT_TENANT, LOCAL_OPERATOR, type Principal } from '../core/identity/principal.js';
import { PrincipalDirectory } from '../core/identity/principal-directory.js';
import { RateBuckets } from '../core/limits/rate-buckets.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { isLoopbackAddress, limitKey } from '../http/addresses.js';
import type { RequestFacts } from '../http/request-facts.js';
import { RequestRulesService } from '../http/request-rules.service.js';
import { readCredential, type Credential } from './credentials.js';
import { PageSignIn, type PageToken } from './page-sign-in.js';
import { TokenTable } from './token-table.js';

/** Failed authentications that one address may have in a minute, whatever the kind of credential. */
export const MAX_FAILURES_PER_MINUTE = 20;

/** `throttled`: refused, and the address has failed so often that it is not worth an upgrade any more. */
export type AuthOutcome = Principal | 'unauthorized' | 'throttled';

/** From the credential of a request to the principal that it speaks for. Tokens are never logged. */
@Injectable()
export class AuthService extends PrincipalDirectory {
  private readonly tokens: TokenTable;
  private readonly pages: PageSignIn;
  private readonly failures: RateBuckets;
  private readonly log: Log;

  /** @throws SettingsError when the configured tokens contradict themselves */
  constructor(
    config: ConfigStoreService,
    clock: Clock,
    logs: Logs,
    private readonly rules: RequestRulesService,
  ) {
    super();
    this.tokens = new TokenTable(config);
    this.pages = new PageSignIn(clock, listOperatorSecrets(config));
    this.failures = new RateBuckets(clock);
    this.log = logs.for('auth');
  }

  /** Who sends this request. Failures count against its address, loopback included; a valid credential always passes. */
  authenticate(request: IncomingMessage): AuthOutcome {
    const facts = this.rules.readFacts(request);
    const credential = readCredential(request);
    return this.identify(facts, credential) ?? this.noteFailure(facts, credential.kind);
  }

  /**
   * Who sends this request, where somebody without a credential is served as well: undefined for a stranger. A wrong
   * credential counts as a failure here too.
   */
  find(request: IncomingMessage): Principal | undefined {
    const facts = this.rules.readFacts(request);
    const credential = readCredential(request);
    const principal = this.identify(facts, credential);
    if (!principal && credential.kind !== 'none') this.noteFailure(facts, credential.kind);
    return principal;
  }

  /** A code that signs one web page in, once and soon; undefined in open mode, where none is needed. */
  issuePageCode(): string | undefined {
    return this.tokens.isEmpty ? undefined : this.pages.issueCode();
  }

  /** Exchanges a page's code for a token. A wrong code counts as a failed authentication. */
  redeemPageCode(request: IncomingMessage, code: string): PageToken | 'unauthorized' | 'throttled' {
    return this.pages.redeem(code) ?? this.noteFailure(this.rules.readFacts(request), 'page code');
  }

  override findToolPermissions(tenant: string, principal: string): readonly string[] | undefined {
    return this.tokens.findToolPermissions(tenant, principal);
  }

  private identify(facts: RequestFacts, credential: Credential): Principal | undefined {
    if (this.tokens.isEmpty) return this.isOpenTo(facts) ? LOCAL_OPERATOR : undefined;
    return credential.kind === 'token'
      ? (this.tokens.find(credential.token) ?? this.pages.find(credential.token))
      : undefined;
  }

  /** Open mode: with no credential configured, programs of this very machine are trusted, and nothing less direct. */
  private isOpenTo(facts: RequestFacts): boolean {
    return (
      this.rules.isBoundToLoopback &&
      isLoopbackAddress(facts.peerAddress) &&
      this.rules.hasLoopbackHost(facts) &&
      !facts.isForwarded &&
      !this.rules.isForeignOrigin(facts)
    );
  }

  private noteFailure(facts: RequestFacts, credential: Credential['kind'] | 'page code'): 'unauthorized' | 'throttled' {
    const isThrottled = this.failures.take(limitKey(facts.clientAddress), MAX_FAILURES_PER_MINUTE) > 0;
    if (isThrottled) return 'throttled';
    this.log.info({ address: facts.clientAddress, credential }, 'authentication failed');
    return 'unauthorized';
  }
}

/** The tokens, as far as they are known, whose holders may do all that a page may, and more. */
function listOperatorSecrets(config: ConfigStoreService): string[] {
  const operators = config
    .get('auth.tokens')
    .filter(
      ({ role, scopes, tenant = DEFAULT_TENANT }) =>
        role === 'operator' && scopes === undefined && tenant === DEFAULT_TENANT,
    );
  return [config.get('auth.token'), ...operators.map(({ token }) => token)].filter((token) => token !== undefined);
}
