import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { isReservedName, LOCAL_OPERATOR, type Principal } from '../core/identity/principal.js';
import { PrincipalDirectory } from '../core/identity/principal-directory.js';
import { RequestRulesService } from '../http/request-rules.service.js';
import { AuthRecorder } from './auth-recorder.js';
import type { AuthFailure, ExplainedFailure, Undecided } from './auth-failures.js';
import type { PresentedCredential, Refusal, Verdict } from './credential-verifier.js';
import { readCredential, type CredentialName } from './credentials.js';
import { LocalToken } from './local-token.js';
import { NodeVerifier } from './node-verifier.js';
import { OpenMode } from './open-mode.js';
import { PAGE_PRINCIPAL, PageSignIn, type PageToken } from './page-sign-in.js';
import { RunTimeTokens } from './run-time-tokens.js';
import { TailscaleVerifier } from './tailscale-verifier.js';
import { TokenTable } from './token-table.js';
import { VerifierChain } from './verifier-chain.js';

export type AuthOutcome = Principal | AuthFailure | ExplainedFailure;

/**
 * Finds the principal of a request with verifiers in this order: keys of paired nodes, people of the tailnet, tokens made at run
 * time, open mode, static tokens, tokens of signed-in pages, an identity provider, then those of modules (`@VerifiesCredentials`). Failures of all kinds share one limit per address. Tokens are never
 * logged.
 */
@Injectable()
export class AuthService extends PrincipalDirectory {
  private table: TokenTable | undefined;
  private readonly openMode: OpenMode;

  // oxlint-disable-next-line max-params -- the verifiers of the gateway, and what records their verdicts
  constructor(
    private readonly config: ConfigStoreService,
    private readonly rules: RequestRulesService,
    private readonly chain: VerifierChain,
    private readonly pages: PageSignIn,
    private readonly recorder: AuthRecorder,
    private readonly localToken: LocalToken,
    private readonly nodes: NodeVerifier,
    private readonly tailscale: TailscaleVerifier,
    private readonly runTime: RunTimeTokens,
  ) {
    super();
    this.openMode = new OpenMode(rules, localToken, () => this.isOpen);
  }

  /**
   * Authenticates a request. Failures count against its address, also on loopback; a valid credential always passes.
   */
  async authenticate(request: IncomingMessage): Promise<AuthOutcome> {
    const presented = this.readPresented(request);
    const verdict = await this.verify(presented);
    if (isPrincipal(verdict)) return this.succeed(verdict, presented);
    return this.fail(verdict, presented);
  }

  /**
   * Authenticates a request to a resource that is also open to strangers. Resolves with undefined for a stranger. A
   * wrong credential counts as a failure; a missing one does not.
   */
  async find(request: IncomingMessage): Promise<Principal | undefined> {
    const presented = this.readPresented(request);
    const verdict = await this.verify(presented);
    if (isPrincipal(verdict)) return this.succeed(verdict, presented);
    const { kind } = presented.credential;
    if (kind !== 'none') this.fail(verdict, presented);
    return undefined;
  }

  /**
   * Issues a single-use code that signs a web page in.
   * @throws GatewayError STORE_UNAVAILABLE
   */
  async issuePageCode(): Promise<string> {
    return this.pages.issueCode();
  }

  /**
   * Exchanges a page's code for a token: in open mode the local one. A wrong code counts as a failed authentication.
   * @throws GatewayError STORE_UNAVAILABLE
   */
  async redeemPageCode(request: IncomingMessage, code: string): Promise<PageToken | AuthFailure> {
    const token = await this.pages.redeem(code);
    const facts = this.rules.readFacts(request);
    if (!token) return this.recorder.recordFailure(facts, 'page code', 'notMine');
    this.recorder.recordSignIn(this.isOpen ? LOCAL_OPERATOR : PAGE_PRINCIPAL, facts);
    return this.isOpen ? { token: this.localToken.value } : token;
  }

  /** Counts a wrong code of a device as a failed authentication. */
  refuseCode(request: IncomingMessage): AuthFailure {
    return this.recorder.recordFailure(this.rules.readFacts(request), 'pairing code', 'notMine');
  }

  override findToolPermissions(tenant: string, principal: string): readonly string[] | undefined {
    return this.tokens.findToolPermissions(tenant, principal);
  }

  private fail(verdict: Refusal | 'notMine' | Undecided, presented: PresentedCredential) {
    const refusal: Partial<Refusal> = typeof verdict === 'object' ? verdict : {};
    const { publicReason } = refusal;
    const failure = refusal.isHarmless
      ? 'unauthorized'
      : this.recorder.recordFailure(presented.facts, this.nameCredential(presented), verdict);
    return failure === 'unauthorized' && publicReason !== undefined ? { publicReason } : failure;
  }

  override isGone(tenant: string, principal: string): boolean | Promise<boolean> {
    if (this.tailscale.isGone(principal)) return true;
    if (this.isOpen || !this.chain.isEmpty || isReservedName(principal)) return false;
    if (this.tokens.has(tenant, principal)) return false;
    const origins = this.tokens.listOrigins(tenant);
    return Promise.all(origins.map((origin) => this.runTime.has(origin, principal))).then(
      (found) => !found.includes(true),
    );
  }

  private succeed(principal: Principal, presented: PresentedCredential): Principal {
    const isSession = presented.credential.kind === 'none' && principal.credentialId !== undefined;
    this.recorder.recordSuccess(principal, presented.facts, isSession ? 'session' : this.nameCredential(presented));
    return principal;
  }

  /** Returns the name of what a request is authenticated by, for the log and the audit trail. */
  private nameCredential(presented: PresentedCredential): CredentialName {
    return this.tailscale.isMine(presented) ? 'tailscale' : presented.credential.kind;
  }

  /** Made at first use, when changes of earlier runs are in force. */
  private get tokens(): TokenTable {
    return (this.table ??= new TokenTable(this.config));
  }

  /** True in open mode. */
  get isOpen(): boolean {
    return this.tokens.isEmpty && this.chain.isEmpty;
  }

  private readPresented(request: IncomingMessage): PresentedCredential {
    return { request, facts: this.rules.readFacts(request), credential: readCredential(request) };
  }

  private verify(presented: PresentedCredential): Promise<Verdict | Undecided> {
    return this.chain.verify(
      [this.nodes, this.tailscale, this.runTime, this.openMode, this.tokens, this.pages],
      presented,
    );
  }
}

function isPrincipal(verdict: Verdict | Undecided): verdict is Principal {
  return typeof verdict === 'object' && !('refused' in verdict);
}
