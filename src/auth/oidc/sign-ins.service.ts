import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LiveCredentialsService } from '../../core/identity/live-credentials.service.js';
import type { Principal } from '../../core/identity/principal.js';
import { CredentialStore, type SignInRecord } from '../../core/store/index.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { Clock, type CancelTimer } from '../../core/time/clock.js';
import {
  ProviderDownError,
  UndecidedError,
  type CredentialVerifier,
  type PresentedCredential,
  type Verdict,
} from '../credential-verifier.js';
import { digest } from '../digest.js';
import { ClaimFault } from '../jwt/read-claims.js';
import { toPrincipal } from '../rights.js';
import { OidcClientService } from './oidc-client.service.js';
import { RenewalRetries } from './renewal-retries.js';
import { ProviderRefusal, type Identity, type ProviderTokens } from './oidc-provider.js';
import { seal, unseal } from './seal.js';

/** Time for which a person stays signed in, in milliseconds, while the identity provider renews it. */
export const SIGN_IN_LIFETIME_MS = 7 * 24 * 3_600_000;
export const SESSION_COOKIE = 'openclaw-session';
/** Time in which one renewal must end, in milliseconds. Longer than all requests of one. */
const RENEWAL_MS = 20_000;
const POLL_MS = 250;
/** Least time until the next look at a sign-in that is due to be renewed, in milliseconds. */
const LOOK_AGAIN_MS = 5_000;
/**
 * Time for which rights go on after the ID token that gave them has ended, in milliseconds, while the provider cannot be asked.
 * It counts from that end, which is stored: a restart changes nothing.
 */
export const GRACE_MS = 600_000;

const COOKIE = /^[A-Za-z0-9_-]{43}$/;
const SAFE_METHODS = new Set(['GET', 'HEAD']);
const ENDED = { refused: 'the sign-in has ended', isHarmless: true } as const;

/** Returns the name under which the uses of a sign-in are ended. */
const credentialIdOf = (signInId: string) => `session:${signInId}`;

/**
 * The people whom the identity provider has signed in. A browser has a cookie with a random value, the store its digest with
 * the rights, and the tokens of the provider sealed with the cookie. Rights end with the ID token that gave them, or
 * {@link GRACE_MS} later while the provider cannot be asked; at two thirds of that time they are renewed, once for all tabs and
 * replicas, while anything of the person is open. What the provider refuses ends at once.
 */
@Injectable()
export class SignInsService implements CredentialVerifier {
  private readonly renewals = new Map<string, Promise<SignInRecord | undefined>>();
  private readonly alarms = new Map<string, CancelTimer>();
  private readonly retries: RenewalRetries;
  private readonly log: Log;

  constructor(
    private readonly client: OidcClientService,
    private readonly store: CredentialStore,
    private readonly live: LiveCredentialsService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('auth');
    this.retries = new RenewalRetries(clock);
  }

  get isConfigured(): boolean {
    return this.client.isConfigured;
  }

  verify({ credential, request, facts }: PresentedCredential): Verdict | Promise<Verdict> {
    const client = this.client.find();
    const cookie = client && credential.kind === 'none' ? client.cookies.read(request, SESSION_COOKIE) : undefined;
    if (!client || cookie === undefined) return 'notMine';
    if (!COOKIE.test(cookie)) return { refused: 'the cookie of the sign-in is malformed' };
    const isSafe = SAFE_METHODS.has(request.method ?? '') && request.headers.upgrade === undefined;
    if (!isSafe && facts.origin !== client.origin)
      return { refused: 'a cookie counts for changes and connections of pages of the gateway alone' };
    return this.decide(cookie);
  }

  /** Signs a person in. Returns the value of the cookie. @param address of the person, for the audit trail */
  async open({ principal, subject, sid }: Identity, tokens: ProviderTokens, address: string): Promise<string> {
    const cookie = randomBytes(32).toString('base64url');
    const now = this.clock.now();
    const record = {
      id: digest(cookie),
      ...{ subject, sid, endsAt: now + SIGN_IN_LIFETIME_MS },
      ...this.toRights(principal),
      sealed: seal(JSON.stringify(tokens), cookie),
    };
    await this.store.addSignIn(record, address);
    return cookie;
  }

  /** Signs out. Returns the ID token of the sign-in; undefined if there is none. */
  async close(cookie: string): Promise<string | undefined> {
    if (!COOKIE.test(cookie)) return undefined;
    const record = await this.store.findSignIn(digest(cookie));
    if (!record) return undefined;
    await this.end({ id: record.id }, record.principal);
    return readTokens(record, cookie).idToken;
  }

  /** Ends sign-ins with all that they have opened. Returns how many. */
  async end(selector: Parameters<CredentialStore['removeSignIns']>[0], actor: string): Promise<number> {
    const ids = await this.store.removeSignIns(selector, actor);
    for (const id of ids) {
      this.alarms.get(id)?.();
      this.alarms.delete(id);
      this.retries.forget(id);
      this.live.end(credentialIdOf(id));
    }
    return ids.length;
  }

  private async decide(cookie: string): Promise<Verdict> {
    const now = this.clock.now();
    let record = await this.store.findSignIn(digest(cookie));
    if (record && this.principalOf(record).expiresAt <= now) record = await this.renew(cookie, record);
    else if (record && record.renewAt <= now) this.renew(cookie, record).catch(() => {});
    if (!record || record.endsAt <= now) return ENDED;
    this.watch(cookie, record);
    return this.principalOf(record);
  }

  /** Renews the rights ahead of their end while something of the person is open. */
  private watch(cookie: string, { id, renewAt }: SignInRecord): void {
    if (this.alarms.has(id)) return;
    const arm = (at: number) =>
      this.alarms.set(
        id,
        this.clock.setAlarm(at, () => void check()),
      );
    const armLater = () => arm(this.clock.now() + Math.max(LOOK_AGAIN_MS, this.retries.waitFor(id)));
    const check = async () => {
      this.alarms.delete(id);
      if (!this.live.isUsed(credentialIdOf(id))) return;
      try {
        const record = await this.store.findSignIn(id);
        const renewed = record && record.renewAt <= this.clock.now() ? await this.renew(cookie, record) : record;
        if (!renewed) return;
        if (renewed.renewAt > this.clock.now()) arm(renewed.renewAt);
        else armLater();
      } catch {
        armLater();
      }
    };
    // Not before what is being opened now is open.
    arm(Math.max(renewAt, this.clock.now() + LOOK_AGAIN_MS));
  }

  /** Renews once for all who wait. Resolves with undefined if the sign-in has ended. @throws UndecidedError if it is not known */
  private renew(cookie: string, record: SignInRecord): Promise<SignInRecord | undefined> {
    const { id } = record;
    const known = this.renewals.get(id);
    if (known) return known;
    const renewal = this.renewAlone(cookie, record).finally(() => this.renewals.delete(id));
    this.renewals.set(id, renewal);
    return renewal;
  }

  /** A refresh token is used once: of two replicas, the second waits for the result of the first. */
  private async renewAlone(cookie: string, seen: SignInRecord): Promise<SignInRecord | undefined> {
    const reason = this.retries.findReason(seen.id);
    if (reason) return this.keep(seen, reason);
    if (readTokens(seen, cookie).refreshToken === undefined) return this.keepOrEnd(seen);
    return (await this.lease(seen)) ? this.renewLeased(cookie, seen.id) : this.awaitOther(cookie, seen);
  }

  private lease({ id, renewAt }: SignInRecord): Promise<boolean> {
    return this.store.leaseSignIn(id, renewAt, this.clock.now() + RENEWAL_MS);
  }

  /** @param id of a sign-in whose lease this replica has: since it was seen, its refresh token may have changed */
  private async renewLeased(cookie: string, id: string): Promise<SignInRecord | undefined> {
    const seen = await this.store.findSignIn(id);
    if (!seen) return undefined;
    const { idToken, refreshToken = '' } = readTokens(seen, cookie);
    let tokens: Partial<ProviderTokens> | undefined;
    try {
      tokens = await this.client.get().provider.refresh(refreshToken);
      if (tokens.idToken === undefined) return await this.keepUnrenewed(seen, cookie);
      const { principal, subject, sid } = await this.client.get().provider.readIdToken(tokens.idToken);
      if (subject !== seen.subject) throw new ClaimFault('sub is another person');
      const next = { ...seen, sid: sid ?? seen.sid, ...this.toRights(principal) };
      const kept = { idToken: tokens.idToken, refreshToken: tokens.refreshToken ?? refreshToken };
      const record = { ...next, sealed: seal(JSON.stringify(kept), cookie) };
      this.retries.forget(id);
      if (!(await this.store.renewSignIn(record))) return undefined;
      this.live.renew(toSessionPrincipal(record));
      return record;
    } catch (error) {
      // A refresh token is used once: the next renewal needs the new one.
      const kept = { idToken, refreshToken: tokens?.refreshToken ?? refreshToken };
      return this.failRenewal({ ...seen, sealed: seal(JSON.stringify(kept), cookie) }, error);
    }
  }

  private async failRenewal(record: SignInRecord, error: unknown): Promise<SignInRecord | undefined> {
    const reason = (error as Error).message;
    if (error instanceof ClaimFault || (error instanceof ProviderRefusal && error.isOfPerson)) {
      this.log.info({ principal: record.principal, reason }, 'a sign-in could not be renewed and has ended');
      await this.end({ id: record.id }, 'identity provider');
      return undefined;
    }
    if (!(await this.store.renewSignIn(record))) return undefined;
    const failure = error instanceof UndecidedError ? error : new ProviderDownError(reason, true);
    this.retries.fail(record.id, failure);
    const kept = this.keep(record, failure);
    this.live.renew(this.principalOf(record));
    return kept;
  }

  /** Returns a sign-in that could not be renewed, while its rights go on. @throws the reason when they do not */
  private keep(record: SignInRecord, reason: Error): SignInRecord {
    if (record.expiresAt + GRACE_MS > this.clock.now()) return record;
    throw reason;
  }

  /** Rights that the provider renews without an ID token, which they come from, last as long as the one that gave them. */
  private async keepUnrenewed(seen: SignInRecord, cookie: string): Promise<SignInRecord | undefined> {
    this.log.info({ principal: seen.principal }, 'a sign-in is not renewed, as the provider sends no ID token');
    const { idToken } = readTokens(seen, cookie);
    const record = { ...seen, sealed: seal(JSON.stringify({ idToken }), cookie) };
    return (await this.store.renewSignIn(record)) ? this.keepOrEnd(record) : undefined;
  }

  /** Without a refresh token the rights last as long as the first ID token. */
  private async keepOrEnd(record: SignInRecord): Promise<SignInRecord | undefined> {
    if (record.expiresAt > this.clock.now()) return record;
    await this.end({ id: record.id }, 'gateway');
    return undefined;
  }

  /** Waits for the result of another replica; if it has none, this one renews. */
  private async awaitOther(
    cookie: string,
    { id, renewAt, expiresAt }: SignInRecord,
  ): Promise<SignInRecord | undefined> {
    for (let waited = 0; waited < RENEWAL_MS / 2; waited += POLL_MS) {
      const record = await this.store.findSignIn(id);
      if (!record || record.renewAt !== renewAt) return record;
      if (expiresAt > this.clock.now()) return record;
      if (await this.lease(record)) return this.renewLeased(cookie, id);
      await this.clock.sleep(POLL_MS);
    }
    throw new UndecidedError('a sign-in is renewed by another replica');
  }

  /** Returns the principal of a sign-in, until the end of the grace if the provider could not be asked. */
  private principalOf(record: SignInRecord) {
    const principal = toSessionPrincipal(record);
    return this.retries.has(record.id) ? { ...principal, expiresAt: principal.expiresAt + GRACE_MS } : principal;
  }

  private toRights(principal: Identity['principal']) {
    const { tenant, principal: name, role, scopes, channels, sender, expiresAt } = principal;
    const now = this.clock.now();
    // A little before two thirds, so that not all who came at the same time come again at the same time.
    const renewAt = Math.floor(now + (expiresAt - now) * (2 / 3 - Math.random() / 20));
    return { tenant, principal: name, role, scopes: [...scopes], channels, sender, renewedAt: now, renewAt, expiresAt };
  }
}

function toSessionPrincipal({
  id,
  expiresAt,
  renewedAt,
  ...rights
}: SignInRecord): Principal & { readonly expiresAt: number } {
  return { ...toPrincipal(rights), credentialId: credentialIdOf(id), issuedAt: renewedAt, expiresAt };
}

function readTokens({ sealed }: SignInRecord, cookie: string): ProviderTokens {
  return JSON.parse(unseal(sealed, cookie)) as ProviderTokens;
}
