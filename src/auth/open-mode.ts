import { ASSUMED_OPERATOR, LOCAL_OPERATOR } from '../core/identity/principal.js';
import { isLoopbackAddress } from '../http/addresses.js';
import type { RequestFacts } from '../http/request-facts.js';
import type { RequestRulesService } from '../http/request-rules.service.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';
import type { LocalToken } from './local-token.js';

/**
 * Open mode: while no credential is configured and no module has a verifier, direct requests from this machine are
 * `local`, and all others are refused. With the local token `local` is an operator, with another token or none it has the
 * rights to chat: a page may still have the token of an earlier start. What cannot be a token is refused.
 */
export class OpenMode implements CredentialVerifier {
  constructor(
    private readonly rules: RequestRulesService,
    private readonly localToken: LocalToken,
    private readonly isOpen: () => boolean,
  ) {}

  verify({ facts, credential }: PresentedCredential): Verdict {
    if (!this.isOpen()) return 'notMine';
    if (!this.isDirect(facts)) return { refused: 'open mode serves only direct requests from this machine' };
    if (credential.kind === 'unusable') return { refused: 'its credential is malformed' };
    const isProven = credential.kind === 'token' && this.localToken.matches(credential.token);
    return isProven ? LOCAL_OPERATOR : ASSUMED_OPERATOR;
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
