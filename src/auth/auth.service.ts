import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import { PrincipalDirectory } from '../core/identity/principal-directory.js';
import { RateBuckets } from '../core/limits/rate-buckets.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { limitKey } from '../http/addresses.js';
import type { RequestFacts } from '../http/request-facts.js';
import { RequestRulesService } from '../http/request-rules.service.js';
import {
  VerifierExplorer,
  type CredentialVerifier,
  type PresentedCredential,
  type Verdict,
} from './credential-verifier.js';
import { readCredential, type Credential } from './credentials.js';
import { OpenMode } from './open-mode.js';
import { PageSignIn, type PageToken } from './page-sign-in.js';
import { TokenTable } from './token-table.js';

/** Failed authentications that one address may have in a minute, whatever the kind of credential. */
export const MAX_FAILURES_PER_MINUTE = 20;

/** Time that a verifier may take before it counts as unable to decide, in milliseconds. */
export const VERIFY_TIMEOUT_MS = 10_000;

/**
 * - `unauthorized`: no valid credential.
 * - `throttled`: no valid credential, and the address has used up its failures of this minute.
 * - `unavailable`: a verifier could not decide; nothing was counted.
 */
export type AuthFailure = 'unauthorized' | 'throttled' | 'unavailable';
export type AuthOutcome = Principal | AuthFailure;

/**
 * Finds the principal that a request speaks for, by asking its verifiers in order: open mode, static tokens, tokens of
 * signed-in pages, then those that modules bring (`@VerifiesCredentials`). Failures of all kinds share one limit for
 * each address. Tokens are never logged.
 */
@Injectable()
export class AuthService extends PrincipalDirectory {
  private readonly tokens: TokenTable;
  private readonly pages: PageSignIn;
  private readonly failures: RateBuckets;
  private readonly log: Log;
  private readonly openMode: OpenMode;
  private brought: readonly CredentialVerifier[] | undefined;

  /** @throws SettingsError when the configured tokens contradict themselves */
  constructor(
    config: ConfigStoreService,
    private readonly clock: Clock,
    logs: Logs,
    private readonly rules: RequestRulesService,
    private readonly explorer: VerifierExplorer,
  ) {
    super();
    this.tokens = new TokenTable(config);
    this.pages = new PageSignIn(clock, listOperatorSecrets(config));
    this.openMode = new OpenMode(rules, () => this.isOpen);
    this.failures = new RateBuckets(clock);
    this.log = logs.for('auth');
  }

  /** Authenticates a request. Failures count against its address, loopback included; a valid credential always passes. */
  async authenticate(request: IncomingMessage): Promise<AuthOutcome> {
    const presented = this.readPresented(request);
    const verdict = await this.verify(presented);
    if (isPrincipal(verdict)) return verdict;
    return verdict === 'unavailable' ? verdict : this.noteFailure(presented.facts, presented.credential.kind, verdict);
  }

  /**
   * Authenticates a request to what strangers may use as well. Returns undefined for a stranger. A wrong credential
   * counts as a failure here too, a missing one does not.
   */
  async find(request: IncomingMessage): Promise<Principal | undefined> {
    const presented = this.readPresented(request);
    const verdict = await this.verify(presented);
    if (isPrincipal(verdict)) return verdict;
    const { kind } = presented.credential;
    if (verdict !== 'unavailable' && kind !== 'none') this.noteFailure(presented.facts, kind, verdict);
    return undefined;
  }

  /** Issues a code that signs one web page in, once and soon. Returns undefined in open mode, where none is needed. */
  issuePageCode(): string | undefined {
    return this.isOpen ? undefined : this.pages.issueCode();
  }

  /** Exchanges a page's code for a token. A wrong code counts as a failed authentication. */
  async redeemPageCode(request: IncomingMessage, code: string): Promise<PageToken | AuthFailure> {
    return this.pages.redeem(code) ?? this.noteFailure(this.rules.readFacts(request), 'page code', 'notMine');
  }

  override findToolPermissions(tenant: string, principal: string): readonly string[] | undefined {
    return this.tokens.findToolPermissions(tenant, principal);
  }

  private readPresented(request: IncomingMessage): PresentedCredential {
    return { request, facts: this.rules.readFacts(request), credential: readCredential(request) };
  }

  /** Verifiers of other modules; looked up at first use, when all modules are complete. */
  private listBrought(): readonly CredentialVerifier[] {
    return (this.brought ??= this.explorer.list());
  }

  private get isOpen(): boolean {
    return this.tokens.isEmpty && this.listBrought().length === 0;
  }

  private async verify(presented: PresentedCredential): Promise<Verdict | 'unavailable'> {
    for (const verifier of [this.openMode, this.tokens, this.pages, ...this.listBrought()]) {
      try {
        const verdict = await this.ask(verifier, presented);
        if (verdict !== 'notMine') return verdict;
      } catch (error) {
        this.log.error({ error, verifier: verifier.constructor.name }, 'a credential could not be verified');
        return 'unavailable';
      }
    }
    return 'notMine';
  }

  /** Waits for a verdict, if it is not there at once, within the time limit. */
  private async ask(verifier: CredentialVerifier, presented: PresentedCredential): Promise<Verdict> {
    const verdict = verifier.verify(presented);
    if (!(verdict instanceof Promise)) return verdict;
    const decided = new AbortController();
    const timeout = this.clock.sleep(VERIFY_TIMEOUT_MS, decided.signal).then(() => {
      throw new Error(`no verdict within ${VERIFY_TIMEOUT_MS} ms`);
    });
    return Promise.race([verdict, timeout]).finally(() => decided.abort());
  }

  private noteFailure(
    facts: RequestFacts,
    credential: Credential['kind'] | 'page code',
    verdict: Exclude<Verdict, Principal>,
  ): 'unauthorized' | 'throttled' {
    const isThrottled = this.failures.take(limitKey(facts.clientAddress), MAX_FAILURES_PER_MINUTE) > 0;
    if (isThrottled) return 'throttled';
    const reason = verdict === 'notMine' ? undefined : verdict.refused;
    this.log.info({ address: facts.clientAddress, credential, reason }, 'authentication failed');
    return 'unauthorized';
  }
}

function isPrincipal(verdict: Verdict | 'unavailable'): verdict is Principal {
  return typeof verdict === 'object' && !('refused' in verdict);
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
