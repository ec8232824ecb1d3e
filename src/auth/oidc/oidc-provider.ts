import type { JSONWebKeySet } from 'jose';
import type { Principal } from '../../core/identity/principal.js';
import type { Log } from '../../core/telemetry/logs.js';
import type { Clock } from '../../core/time/clock.js';
import type { EgressFetch } from '../../http/egress/egress-fetch.js';
import { discover, findAddress, readAddress, type IssuerDocument } from '../jwt/discovery.js';
import { DEFAULT_ALGORITHMS, DEFAULT_TOLERANCE_S } from '../jwt/jwt.settings.js';
import { checkAudience, checkIssuer, checkTimes, ClaimFault, readClaims } from '../jwt/read-claims.js';
import { Outage, type OutageTexts } from '../jwt/outage.js';
import { IssuerFault, requestDocument, requestJson, type JsonResponse } from '../jwt/request-json.js';
import { toKeySet } from '../jwt/load-keys.js';
import { KEYS_GOOD_MS, SigningKeys, type IssuerProblem } from '../jwt/signing-keys.js';
import { checkSignature, checkType, decodeParts } from '../jwt/verify-signature.js';
import type { OidcSetting } from './oidc.settings.js';
import type { SignInSecrets } from './sign-in-states.js';

const DEFAULT_SCOPES = ['openid', 'profile'];
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LOGOUT_TYPES = new Set(['jwt', 'logout+jwt']);
/** Longer ID tokens are not put into an address, which some servers would refuse. */
const MAX_HINT_LENGTH = 2_000;

/** Statuses of requests that may succeed later: too slow, too many. */
const TRY_AGAIN = new Set([408, 429]);
/** A renewal that has failed is tried again earlier than that, in milliseconds, while anything of the person is open. */
const LATELY_MS = 120_000;
const TEXTS: OutageTexts = {
  down: 'the tokens of the issuer cannot be requested',
  up: 'the tokens of the issuer can be requested again',
};

/** Codes of refusals that are about the person. Others are about the gateway, such as `invalid_client`, and pass. */
const OF_PERSON = new Set([
  'invalid_grant',
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
]);

/** The identity provider has refused a request, with a code of RFC 6749 section 5.2. */
export class ProviderRefusal extends Error {
  /** True if the provider has ended the access of the person. */
  readonly isOfPerson: boolean;

  constructor(code: string) {
    super(`the identity provider has refused: ${code}`);
    this.isOfPerson = OF_PERSON.has(code);
  }
}

/** The response of the identity provider to a code or a refresh token. */
export interface ProviderTokens {
  readonly idToken: string;
  readonly refreshToken: string | undefined;
}

/** The person of an ID token. */
export interface Identity {
  readonly principal: Principal & { readonly expiresAt: number };
  readonly subject: string;
  /** The session at the identity provider. */
  readonly sid: string | undefined;
}

/**
 * Loads what a provider says about itself, with its keys.
 * @throws Error; IssuerFault if a sign-in could not begin or end with it
 */
export async function loadProvider(
  fetch: EgressFetch,
  clock: Clock,
  issuer: string,
): Promise<{ readonly document: IssuerDocument; readonly keys: JSONWebKeySet }> {
  const document = await discover(fetch, clock, issuer);
  for (const name of ['authorization_endpoint', 'token_endpoint']) readAddress(document, name);
  findAddress(document, 'end_session_endpoint');
  return { document, keys: toKeySet(await requestDocument(fetch, clock, readAddress(document, 'jwks_uri'))) };
}

/** An identity provider as OpenID Connect describes it: the calls of the gateway, and the checks of what it sends. */
export class OidcProvider {
  readonly keys: SigningKeys;
  private readonly tokens: Outage;
  private document: IssuerDocument = {};

  /**
   * @param foreignPrefixes of names that other issuers give
   * @param readSecret returns the secret of the client; undefined for a public one
   */
  constructor(
    private readonly setting: OidcSetting,
    private readonly foreignPrefixes: readonly string[],
    private readonly readSecret: () => Promise<string | undefined>,
    private readonly fetch: EgressFetch,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.keys = new SigningKeys(setting.issuer, () => this.load(), clock, log);
    this.tokens = new Outage(setting.issuer, TEXTS, clock, log);
  }

  /** Why its keys or tokens cannot be fetched; undefined if they can, or if no tokens were requested lately. */
  get problem(): IssuerProblem | undefined {
    const { problem } = this.keys;
    const { current } = this.tokens;
    const now = this.clock.now();
    if (problem || !current || now - current.lastAt > LATELY_MS) return problem;
    const { since, reason } = current;
    return { issuer: this.setting.issuer, what: 'tokens', since, reason, isStale: now - since >= KEYS_GOOD_MS };
  }

  /** Returns the address at which a person signs in. @throws UndecidedError if the provider is not known yet */
  async buildLoginUrl(state: string, { nonce, challenge }: SignInSecrets, redirectUri: string): Promise<string> {
    await this.keys.read();
    const url = new URL(readAddress(this.document, 'authorization_endpoint'));
    const parameters = {
      response_type: 'code',
      client_id: this.setting.client_id,
      redirect_uri: redirectUri,
      scope: (this.setting.scopes ?? DEFAULT_SCOPES).join(' '),
      ...{ state, nonce, code_challenge: challenge, code_challenge_method: 'S256' },
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /**
   * Returns the address at which a person signs out; undefined if the provider has none.
   * @throws UndecidedError if the provider does not respond now: the browser would show an error of its own
   */
  async buildLogoutUrl(idToken: string, returnTo: string): Promise<string | undefined> {
    await this.keys.confirm();
    const address = findAddress(this.document, 'end_session_endpoint');
    if (address === undefined) return undefined;
    const url = new URL(address);
    if (idToken.length <= MAX_HINT_LENGTH) url.searchParams.set('id_token_hint', idToken);
    url.searchParams.set('client_id', this.setting.client_id);
    url.searchParams.set('post_logout_redirect_uri', returnTo);
    return url.href;
  }

  /** Exchanges a code. @throws ProviderRefusal, ProviderDownError, UndecidedError */
  async exchange(code: string, verifier: string, redirectUri: string): Promise<ProviderTokens> {
    const fields = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: redirectUri };
    const { idToken, refreshToken } = await this.request(fields);
    if (idToken === undefined) throw new ProviderRefusal('no id_token');
    return { idToken, refreshToken };
  }

  /** The response may have no ID token (OpenID Connect Core section 12.2). @throws ProviderRefusal, ProviderDownError, UndecidedError */
  refresh(refreshToken: string): Promise<Partial<ProviderTokens>> {
    return this.request({ grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  /**
   * Checks an ID token (OpenID Connect Core section 3.1.3.7).
   * @param nonce that of the sign-in; undefined for a renewal
   * @throws ClaimFault, UndecidedError
   */
  async readIdToken(idToken: string, nonce?: string): Promise<Identity> {
    const parts = decodeParts(idToken);
    checkType(parts);
    await this.checkSigned(idToken, parts.payload);
    const { setting, foreignPrefixes } = this;
    const { issuer, client_id: audience, claims } = setting;
    const rules = {
      issuer,
      audience,
      clockToleranceS: this.toleranceS,
      maxLifetimeS: undefined,
      claims,
      foreignPrefixes,
    };
    const principal = readClaims(parts.payload, rules, this.clock.now());
    const { aud, azp, nonce: given, sub, sid } = parts.payload;
    if (Array.isArray(aud) && aud.length > 1 && azp !== audience) throw new ClaimFault('azp is another client');
    if (nonce !== undefined && given !== nonce) throw new ClaimFault('nonce is not that of the sign-in');
    if (typeof sub !== 'string') throw new ClaimFault('sub is missing');
    return { principal, subject: sub, sid: typeof sid === 'string' ? sid : undefined };
  }

  /** Checks a logout token (OpenID Connect Back-Channel Logout section 2.6). @throws ClaimFault, UndecidedError */
  async readLogoutToken(token: string): Promise<{ readonly subject?: string; readonly sid?: string }> {
    const parts = decodeParts(token);
    checkType(parts, LOGOUT_TYPES);
    await this.checkSigned(token, parts.payload);
    const { payload } = parts;
    checkAudience(payload, this.setting.client_id);
    checkTimes(payload, this.toleranceS, this.clock.now() / 1_000);
    const { events, sub, sid } = payload;
    if (typeof events !== 'object' || events === null || !Object.hasOwn(events, LOGOUT_EVENT))
      throw new ClaimFault('events has no logout');
    if ('nonce' in payload) throw new ClaimFault('nonce is in a logout token');
    // With a session ID the logout ends that session, without one all sessions of the person.
    if (typeof sid === 'string') return { sid };
    if (typeof sub === 'string') return { subject: sub };
    throw new ClaimFault('sub and sid are missing');
  }

  private get toleranceS(): number {
    return this.setting.clock_tolerance_s ?? DEFAULT_TOLERANCE_S;
  }

  private async checkSigned(token: string, payload: Readonly<Record<string, unknown>>): Promise<void> {
    checkIssuer(payload, this.setting.issuer);
    await checkSignature(token, this.keys, this.setting.algorithms ?? DEFAULT_ALGORITHMS);
  }

  /** A document counts from when it is known to be right, with its keys: until then the one before does. */
  private async load(): Promise<JSONWebKeySet> {
    const { document, keys } = await loadProvider(this.fetch, this.clock, this.setting.issuer);
    this.document = document;
    return keys;
  }

  private async request(fields: Readonly<Record<string, string>>): Promise<Partial<ProviderTokens>> {
    await this.keys.read();
    try {
      const tokens = readTokens(await this.post(fields));
      this.tokens.end();
      return tokens;
    } catch (error) {
      if (!(error instanceof ProviderRefusal)) throw this.tokens.fail(error);
      if (error.isOfPerson) this.tokens.end();
      else this.tokens.fail(error);
      throw error;
    }
  }

  /** Sends a request to the token endpoint, with the credential of the client. */
  private async post(fields: Readonly<Record<string, string>>): Promise<JsonResponse> {
    const { client_id: id } = this.setting;
    const secret = await this.readSecret();
    const methods = this.document['token_endpoint_auth_methods_supported'];
    const isInBody = secret === undefined || (Array.isArray(methods) && !methods.includes('client_secret_basic'));
    const body = {
      ...fields,
      ...(isInBody && { client_id: id, ...(secret !== undefined && { client_secret: secret }) }),
    };
    const basic = Buffer.from([id, secret ?? ''].map(encodeURIComponent).join(':')).toString('base64');
    return requestJson(this.fetch, this.clock, readAddress(this.document, 'token_endpoint'), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(!isInBody && { authorization: `Basic ${basic}` }),
      },
      body: new URLSearchParams(body).toString(),
    });
  }
}

/** Reads a response of the token endpoint. @throws ProviderRefusal; IssuerFault if it is neither tokens nor a refusal */
function readTokens({ status, body }: JsonResponse): Partial<ProviderTokens> {
  const { error, id_token: idToken, refresh_token: refreshToken } = body;
  const isRefusal = status >= 400 && status < 500 && !TRY_AGAIN.has(status);
  if (isRefusal && typeof error === 'string' && error !== 'temporarily_unavailable')
    throw new ProviderRefusal(error.slice(0, 64));
  if (status !== 200) throw new IssuerFault(`the token endpoint has responded with HTTP ${status}`);
  return {
    ...(typeof idToken === 'string' && { idToken }),
    refreshToken: typeof refreshToken === 'string' ? refreshToken : undefined,
  };
}
