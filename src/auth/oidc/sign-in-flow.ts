import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { listDrivers } from '../../core/channels/channels.settings.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { toOneLine } from '../../core/config/secrets.js';
import { isReservedPrincipal } from '../../core/identity/principal.js';
import { StartStep, type Undo } from '../../core/lifecycle/steps.js';
import { RateBuckets } from '../../core/limits/rate-buckets.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { RepeatedLines } from '../../core/telemetry/repeated-lines.js';
import { Clock } from '../../core/time/clock.js';
import { limitKey } from '../../http/addresses.js';
import type { RequestFacts } from '../../http/request-facts.js';
import { RequestRulesService } from '../../http/request-rules.service.js';
import { AuthRecorder } from '../auth-recorder.js';
import { SignatureChecks } from '../signature-checks.js';
import { ProviderDownError, UndecidedError } from '../credential-verifier.js';
import { ClaimFault } from '../jwt/read-claims.js';
import type { OidcClient } from './oidc-client.service.js';
import { describeOutage } from './failure-page.js';
import { ProviderRefusal } from './oidc-provider.js';
import { SignInsService } from './sign-ins.service.js';
import { takeState, type SignInAttempt } from './sign-in-states.js';

/** Codes that are exchanged for one address in a minute. */
const MAX_EXCHANGES_PER_MINUTE = 60;
const MAX_SHOWN = 200;
/** Maximum size of a logout token with its form, in bytes. */
const MAX_FORM_BYTES = 65_536;

/** The end of a sign-in. `states`: the cookie of those that have begun and not ended. */
export type SignInOutcome =
  | { readonly kind: 'done'; readonly states: string; readonly cookie: string; readonly returnTo: string }
  | {
      readonly kind: 'failed';
      readonly states: string;
      readonly status: number;
      readonly says: string;
      /** The page that the sign-in began at; undefined if it is not known. */
      readonly returnTo: string | undefined;
    }
  /** The browser does not have the cookie of a sign-in that the gateway has begun a moment ago. */
  | { readonly kind: 'lost'; readonly returnTo: string };

/** Completes what an identity provider has sent. Failures count for the address, but not what cannot be decided. */
@Injectable()
export class SignInFlow {
  private readonly exchanges: RateBuckets;
  private readonly lines = new RepeatedLines();
  private readonly log: Log;

  // oxlint-disable-next-line max-params -- what decides on a sign-in, and who records it
  constructor(
    private readonly signIns: SignInsService,
    private readonly recorder: AuthRecorder,
    private readonly rules: RequestRulesService,
    private readonly config: ConfigStoreService,
    private readonly checks: SignatureChecks,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.exchanges = new RateBuckets(clock);
    this.log = logs.for('auth');
  }

  /** Counts each minute what the log would repeat, and at the stop. */
  @StartStep({ name: 'count sign-ins that the provider fails', phase: 'run' })
  start(): Undo {
    return this.lines.start(this.clock);
  }

  /** @param cookie the sign-ins that this browser has begun */
  async complete(
    client: OidcClient,
    request: IncomingMessage,
    query: Readonly<Record<string, unknown>>,
    cookie: string | undefined,
  ): Promise<SignInOutcome> {
    const text = (name: string) => (typeof query[name] === 'string' ? query[name] : undefined);
    const attempt = client.states.read(text('state') ?? '');
    const states = attempt && takeState(cookie, attempt.id);
    if (!attempt || states === undefined) {
      if (attempt && !attempt.isSecond) return { kind: 'lost', returnTo: attempt.returnTo };
      const says = 'This sign-in is not known here: it took longer than 10 minutes, or the browser keeps no cookies.';
      return { kind: 'failed', states: cookie ?? '', status: 400, says, returnTo: attempt?.returnTo };
    }
    const { returnTo } = attempt;
    const error = text('error');
    if (error !== undefined) {
      const says = `The identity provider says: ${toOneLine(text('error_description') ?? error, MAX_SHOWN)}`;
      return { kind: 'failed', states, status: 400, says, returnTo };
    }
    const facts = this.rules.readFacts(request);
    try {
      const session = await this.exchange(client, attempt, text('code') ?? '', facts);
      return { kind: 'done', states, cookie: session, returnTo };
    } catch (failure) {
      return { kind: 'failed', states, ...this.explain(failure, facts), returnTo };
    }
  }

  /** Ends the sign-ins that the logout token in a form names. Returns the status of the response. */
  async logOut(client: OidcClient, request: IncomingMessage): Promise<200 | 400 | 413 | 429 | 503> {
    const facts = this.rules.readFacts(request);
    const form = await readForm(request);
    if (form === undefined) return 413;
    try {
      this.checks.take(facts);
      await this.signIns.end(
        await client.provider.readLogoutToken(form.get('logout_token') ?? ''),
        'identity provider',
      );
      return 200;
    } catch (error) {
      if (error instanceof UndecidedError) return 503;
      if (!(error instanceof ClaimFault)) throw error;
      const failure = this.recorder.recordFailure(facts, 'logout token', { refused: error.message });
      return failure === 'throttled' ? 429 : 400;
    }
  }

  private explain(failure: unknown, facts: RequestFacts): { readonly status: number; readonly says: string } {
    if (failure instanceof ClaimFault || failure instanceof ProviderRefusal) {
      this.recorder.recordFailure(facts, 'sign-in', { refused: failure.message });
      return { status: 403, says: `The gateway does not accept this sign-in: ${failure.message}.` };
    }
    if (failure instanceof ProviderDownError) {
      const reason = failure.message;
      this.lines.note(reason, (more) => this.log.warn({ reason, ...more }, 'a person cannot be signed in'));
      return { status: 503, says: describeOutage(failure) };
    }
    if (failure instanceof UndecidedError)
      return {
        status: 503,
        says: `You cannot be signed in at the moment: ${failure.message}. Wait a minute, then sign in again.`,
      };
    throw failure;
  }

  private async exchange(
    { provider, states, redirectUri }: OidcClient,
    { id }: SignInAttempt,
    code: string,
    { clientAddress }: RequestFacts,
  ): Promise<string> {
    if (this.exchanges.take(limitKey(clientAddress), MAX_EXCHANGES_PER_MINUTE) > 0)
      throw new UndecidedError('too many sign-ins from this address');
    const { nonce, verifier } = states.secretsOf(id);
    const tokens = await provider.exchange(code, verifier, redirectUri);
    const identity = await provider.readIdToken(tokens.idToken, nonce);
    const drivers = listDrivers(this.config.list().map(({ key }) => key));
    if (isReservedPrincipal(identity.principal.principal, identity.principal.role, drivers))
      throw new ClaimFault('its principal has a reserved name');
    return this.signIns.open(identity, tokens, clientAddress);
  }
}

/** Returns a form; undefined if it is too large. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_FORM_BYTES) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
