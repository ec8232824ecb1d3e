import { Injectable } from '@nestjs/common';
import { BoundedMap } from '../core/cache/bounded-map.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { Clock } from '../core/time/clock.js';
import { readForwardedAddress } from '../http/tailscale-peers.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';
import { decodeWords } from './encoded-words.js';
import { findTailscaleUser, loginOf } from './tailscale-users.js';
import { Whois } from './whois.js';

/** Time for which a result of `tailscale whois` is used again, in milliseconds. */
const WHOIS_CACHE_MS = 60_000;
const MAX_CACHED = 1_000;

interface Known {
  readonly until: number;
  readonly login: Promise<string | undefined>;
}

/**
 * Recognises people of the tailnet by the headers of Tailscale Serve. A request with a credential is not theirs. The headers
 * count where no other program can send them, and only if Tailscale itself names the same person for the address.
 */
@Injectable()
export class TailscaleVerifier implements CredentialVerifier {
  private readonly known = new BoundedMap<string, Known>(MAX_CACHED);

  constructor(
    private readonly config: ConfigStoreService,
    private readonly whois: Whois,
    private readonly clock: Clock,
  ) {}

  verify(presented: PresentedCredential): Verdict | Promise<Verdict> {
    if (!this.isMine(presented)) return 'notMine';
    const { request } = presented;
    const headers = request.headersDistinct['tailscale-user-login'] ?? [];
    const login = headers.length === 1 ? decodeWords(headers[0] ?? '') : undefined;
    const address = readForwardedAddress(request);
    if (login === undefined) return { refused: 'Tailscale-User-Login is malformed' };
    if (address === undefined) return { refused: 'X-Forwarded-For is not exactly one IP address' };
    return this.decide(login, address);
  }

  /** Returns whether a request is of a person of the tailnet, or claims to be where only Tailscale can claim it. */
  isMine({ credential, facts, request }: PresentedCredential): boolean {
    const { 'tailscale-user-login': login, 'tailscale-funnel-request': funnel } = request.headersDistinct;
    const setting = this.config.get('auth.tailscale');
    if (login === undefined || funnel !== undefined || credential.kind !== 'none' || setting === false) return false;
    const counts = facts.tailscale === 'listener' || (facts.tailscale === 'port' && setting === 'trust-local');
    return counts && this.isServed;
  }

  /** Returns whether a principal is one of these and has no entry any more. */
  isGone(principal: string): boolean {
    const login = loginOf(principal);
    if (login === undefined) return false;
    return this.config.get('auth.tailscale') === false || this.findUser(login) === undefined;
  }

  private async decide(login: string, address: string): Promise<Verdict> {
    const owner = await this.findOwner(address);
    if (owner !== login) return { refused: 'Tailscale names another person, or none, for the address' };
    return this.findUser(login) ?? { refused: `auth.tailscale_users has no entry for ${login}` };
  }

  private findOwner(address: string): Promise<string | undefined> {
    const now = this.clock.elapsed();
    const known = this.known.get(address);
    if (known && known.until > now) return known.login;
    const login = this.whois.find(address);
    this.known.set(address, { until: now + WHOIS_CACHE_MS, login });
    login.catch(() => this.known.delete(address));
    return login;
  }

  private findUser(login: string) {
    return findTailscaleUser(this.config.get('auth.tailscale_users'), login);
  }

  /** A funnel brings requests of the whole internet. */
  private get isServed(): boolean {
    return this.config.get('gateway.expose_via_tailscale') && this.config.get('gateway.tailscale_mode') === 'serve';
  }
}
