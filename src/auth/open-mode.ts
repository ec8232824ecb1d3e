import { LOCAL_OPERATOR } from '../core/identity/principal.js';
import { isLoopbackAddress } from '../http/addresses.js';
import type { RequestFacts } from '../http/request-facts.js';
import type { RequestRulesService } from '../http/request-rules.service.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';

/**
 * Open mode: while no credential is configured and no module has a verifier, direct requests from this machine are the
 * operator `local`, whatever credential they carry, and all others are refused.
 */
export class OpenMode implements CredentialVerifier {
  constructor(
    private readonly rules: RequestRulesService,
    private readonly isOpen: () => boolean,
  ) {}

  verify({ facts }: PresentedCredential): Verdict {
    if (!this.isOpen()) return 'notMine';
    return this.isDirect(facts)
      ? LOCAL_OPERATOR
      : { refused: 'open mode serves only direct requests from this machine' };
  }

  private isDirect(facts: RequestFacts): boolean {
    return (
      this.rules.isBoundToLoopback &&
      isLoopbackAddress(facts.peerAddress) &&
      this.rules.hasLoopbackHost(facts) &&
      !facts.isForwarded &&
      !this.rules.isForeignOrigin(facts)
    );
  }
}
