import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { AuthService, type AuthOutcome } from '../auth/auth.service.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { Principal } from '../core/identity/principal.js';
import { findTenantScope, toSpeaker } from '../core/identity/tenant-scope.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { HttpTrafficService } from '../http/http-traffic.service.js';
import { RequestRulesService } from '../http/request-rules.service.js';
import { checkHandshake, checkSubprotocols, type ConnectParameters, type UpgradeRefusal } from './upgrade-request.js';
import type { Wire } from './wire.js';

/** An upgrade that is accepted. */
export interface UpgradePermit {
  /** Undefined when the socket is accepted only to be closed, whose code a browser can see. */
  readonly principal: Principal | undefined;
  /** Why it is closed at once. */
  readonly close?: 'unauthorized' | 'undecided' | 'providerDown';
  /** The reason why a credential is not valid now, for its owner. */
  readonly publicReason?: string | undefined;
  readonly parameters: ConnectParameters;
  /** Frees the connection's place in the limit. Call it when the socket has ended. */
  readonly release: () => void;
}

const RETRY_AFTER_SECONDS = 5;

/** Accepts or refuses upgrades. Cheap checks come first (protocol.md section 1). */
@Injectable()
export class UpgradeGate {
  constructor(
    private readonly rules: RequestRulesService,
    private readonly auth: AuthService,
    private readonly traffic: HttpTrafficService,
    private readonly phase: PhaseService,
    private readonly config: ConfigStoreService,
  ) {}

  /** The peer may leave while its credential is verified: check the socket before using the permit, or release it. */
  async decide(request: IncomingMessage, wire: Wire): Promise<UpgradePermit | UpgradeRefusal> {
    const { url = '' } = request;
    const facts = this.rules.readFacts(request);
    const refusal =
      checkHandshake(request) ??
      checkSubprotocols(request, wire.subprotocol) ??
      this.rules.checkQuery(url) ??
      this.rules.checkHost(facts) ??
      this.rules.checkOrigin(facts) ??
      this.checkDraining();
    if (refusal) return refusal;
    const parameters = wire.readParameters(url);
    if ('status' in parameters) return parameters;
    const release = this.traffic.open(request, facts);
    if (!release) return refuseForNow(429, 'Too many connections from this address');
    const outcome = await this.auth.authenticate(request);
    // A drain may have begun during the verification.
    const lateRefusal = refuseOutcome(outcome) ?? this.checkDraining();
    if (lateRefusal) {
      release();
      return lateRefusal;
    }
    const permit = this.permit(outcome, parameters);
    if ('status' in permit) release();
    return 'status' in permit ? permit : { ...permit, parameters, release };
  }

  private permit(
    outcome: AuthOutcome,
    { tenant }: ConnectParameters,
  ): Omit<UpgradePermit, 'parameters' | 'release'> | UpgradeRefusal {
    if (outcome === 'unavailable') return { principal: undefined, close: 'undecided' };
    if (outcome === 'providerDown') return { principal: undefined, close: 'providerDown' };
    if (typeof outcome === 'string') return { principal: undefined };
    if ('publicReason' in outcome) return { principal: undefined, publicReason: outcome.publicReason };
    const principal = this.findSpeaker(outcome, tenant);
    return principal ? { principal } : { status: 404, reason: `There is no tenant ${tenant} for this credential` };
  }

  /** Returns a principal in the tenant that it speaks in; undefined if it does not see the one that it names. */
  private findSpeaker(principal: Principal, named: string | undefined): Principal | undefined {
    const scope = findTenantScope(principal, named, this.config);
    return scope === undefined ? undefined : toSpeaker(principal, scope);
  }

  private checkDraining(): UpgradeRefusal | undefined {
    if (!this.phase.isDraining) return undefined;
    return refuseForNow(503, 'The gateway is shutting down');
  }
}

function refuseOutcome(outcome: AuthOutcome): UpgradeRefusal | undefined {
  if (outcome === 'throttled') return refuseForNow(429, 'Too many failed authentications from this address');
  return undefined;
}

function refuseForNow(status: number, reason: string): UpgradeRefusal {
  return { status, reason, headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } };
}
