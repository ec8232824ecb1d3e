import type { IncomingMessage } from 'node:http';
import type { AuthService } from '../auth/auth.service.js';
import type { Principal } from '../core/identity/principal.js';
import type { PhaseService } from '../core/phase/phase.service.js';
import type { RateLimitsService } from '../core/limits/rate-limits.service.js';
import { limitKey } from '../http/addresses.js';
import type { RequestRulesService } from '../http/request-rules.service.js';
import {
  checkHandshake,
  readConnectParameters,
  type ConnectParameters,
  type UpgradeRefusal,
} from './upgrade-request.js';

/** An upgrade that goes ahead. */
export interface UpgradePermit {
  /** Undefined: it goes ahead only to be closed with 4001, which a browser can see. */
  readonly principal: Principal | undefined;
  readonly parameters: ConnectParameters;
  /** To be called when the socket has ended. */
  readonly release: () => void;
}

const RETRY_AFTER_SECONDS = 5;

/** Decides on upgrades, from what costs least to what costs most (protocol.md section 1). */
export class UpgradeGate {
  constructor(
    private readonly rules: RequestRulesService,
    private readonly auth: AuthService,
    private readonly limits: RateLimitsService,
    private readonly lifecycle: PhaseService,
  ) {}

  decide(request: IncomingMessage): UpgradePermit | UpgradeRefusal {
    const { url = '' } = request;
    const facts = this.rules.readFacts(request);
    const refusal =
      checkHandshake(request) ??
      this.rules.checkQuery(url) ??
      this.rules.checkHost(facts) ??
      this.rules.checkOrigin(facts) ??
      this.checkDraining();
    if (refusal) return refusal;
    const parameters = readConnectParameters(url);
    if ('status' in parameters) return parameters;
    const release = this.limits.openConnection(limitKey(facts.clientAddress));
    if (!release) return tooMany('Too many connections from this address');
    const outcome = this.auth.authenticate(request);
    if (outcome === 'throttled') {
      release();
      return tooMany('Too many failed authentications from this address');
    }
    return { principal: outcome === 'unauthorized' ? undefined : outcome, parameters, release };
  }

  private checkDraining(): UpgradeRefusal | undefined {
    if (!this.lifecycle.isDraining) return undefined;
    return {
      status: 503,
      reason: 'The gateway is shutting down',
      headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
    };
  }
}

function tooMany(reason: string): UpgradeRefusal {
  return { status: 429, reason, headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } };
}
