import { Injectable } from '@nestjs/common';
import type { JSONWebKeySet } from 'jose';
import { BoundedMap } from '../../core/cache/bounded-map.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { LiveCredentialsService } from '../../core/identity/live-credentials.service.js';
import type { Principal } from '../../core/identity/principal.js';
import { StartStep, type Undo } from '../../core/lifecycle/steps.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { Clock } from '../../core/time/clock.js';
import { egressFetch } from '../../http/egress/egress-fetch.js';
import { digest } from '../digest.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from '../credential-verifier.js';
import { SignatureChecks } from '../signature-checks.js';
import { DEFAULT_ALGORITHMS, DEFAULT_TOLERANCE_S, listIssuers, listPrefixes, type JwtSetting } from './jwt.settings.js';
import { ClaimFault, describeIssuer, findForeignPrefixes, readClaims, type ClaimRules } from './read-claims.js';
import { loadKeys } from './load-keys.js';
import { SigningKeys, type IssuerProblem } from './signing-keys.js';
import { checkSignature, checkType, decodeParts, isJwt } from './verify-signature.js';

/** Maximum length of a token, in characters. */
const MAX_JWT_LENGTH = 8_192;
const MAX_KNOWN = 1_000;

/** An issuer of tokens, as `auth.jwt` or `auth.jwt_issuers` describes it. */
interface Issuer {
  readonly rules: ClaimRules;
  readonly algorithms: readonly string[];
  readonly keys: SigningKeys;
}

/** A token that was accepted, with its issuer and the keys that it was checked with. */
interface Known {
  readonly principal: Principal;
  readonly issuer: Issuer;
  readonly keys: JSONWebKeySet;
}

/**
 * Recognises tokens of identity providers (RFC 7519). A token is checked once for each set of keys: later requests with
 * it cost a digest.
 */
@Injectable()
export class JwtVerifier implements CredentialVerifier {
  private opened: ReadonlyMap<string, Issuer> | undefined;
  private readonly known = new BoundedMap<string, Known>(MAX_KNOWN);
  private readonly log: Log;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    private readonly live: LiveCredentialsService,
    private readonly checks: SignatureChecks,
    logs: Logs,
  ) {
    this.log = logs.for('auth');
  }

  get isConfigured(): boolean {
    return listIssuers((key) => this.config.get(key)).length > 0;
  }

  /** Which keys cannot be fetched, since when and why. */
  get problems(): readonly IssuerProblem[] {
    return [...(this.opened?.values() ?? [])].flatMap(({ keys }) => keys.problem ?? []);
  }

  /** Fetches the keys ahead of the first token. */
  @StartStep({ name: 'fetch the keys of identity providers', phase: 'run' })
  start(): Undo {
    const opened = [...this.issuers.values()];
    for (const { keys } of opened) keys.start();
    return () => opened.forEach(({ keys }) => keys.stop());
  }

  verify({ credential, facts }: PresentedCredential): Verdict | Promise<Verdict> {
    if (!this.isConfigured || credential.kind !== 'token' || !isJwt(credential.token)) return 'notMine';
    const { token } = credential;
    if (token.length > MAX_JWT_LENGTH)
      return { refused: `the size of the token is ${token.length}, and at most ${MAX_JWT_LENGTH} are allowed` };
    return this.decide(token, facts);
  }

  private async decide(token: string, facts: PresentedCredential['facts']): Promise<Verdict> {
    try {
      const known = this.known.get(digest(token));
      if (
        known &&
        (await known.issuer.keys.read()) === known.keys &&
        (known.principal.expiresAt ?? 0) > this.clock.now()
      )
        return known.principal;
      return await this.check(token, facts);
    } catch (error) {
      if (error instanceof ClaimFault) return { refused: error.message };
      throw error;
    }
  }

  private async check(token: string, facts: PresentedCredential['facts']): Promise<Principal> {
    const parts = decodeParts(token);
    checkType(parts);
    const issuer = this.findIssuer(parts.payload);
    const { rules, algorithms, keys } = issuer;
    this.checks.take(facts);
    await checkSignature(token, keys, algorithms);
    const found = readClaims(parts.payload, rules, this.clock.now());
    const principal = { ...found, credentialId: `jwt:${JSON.stringify([found.tenant, found.principal])}` };
    // A person who has lost rights has lost them on connections that an older token has opened, too.
    this.live.limit(principal);
    this.known.set(digest(token), { principal, issuer, keys: await keys.read() });
    return principal;
  }

  /** Only its own keys are asked for a token: those of another issuer would be requested in vain. @throws ClaimFault */
  private findIssuer({ iss }: Readonly<Record<string, unknown>>): Issuer {
    const issuer = typeof iss === 'string' ? this.issuers.get(iss) : undefined;
    if (issuer) return issuer;
    throw new ClaimFault(describeIssuer(iss, [...this.issuers.keys()]));
  }

  /** By name. Made at first use, when changes of earlier runs are in force. */
  private get issuers(): ReadonlyMap<string, Issuer> {
    return (this.opened ??= this.open());
  }

  private open(): ReadonlyMap<string, Issuer> {
    const prefixes = listPrefixes((key) => this.config.get(key));
    const settings = listIssuers((key) => this.config.get(key));
    return new Map(settings.map((setting) => [setting.issuer, this.openOne(setting, prefixes)]));
  }

  private openOne(setting: JwtSetting, prefixes: ReadonlySet<string>): Issuer {
    const { issuer, audience, claims } = setting;
    return {
      rules: {
        issuer,
        audience,
        clockToleranceS: setting.clock_tolerance_s ?? DEFAULT_TOLERANCE_S,
        maxLifetimeS: setting.max_lifetime_s,
        claims,
        foreignPrefixes: findForeignPrefixes(claims.prefix ?? '', prefixes),
      },
      algorithms: setting.algorithms ?? DEFAULT_ALGORITHMS,
      keys: new SigningKeys(
        issuer,
        () => loadKeys(setting, this.config.folder, egressFetch, this.clock),
        this.clock,
        this.log,
      ),
    };
  }
}
