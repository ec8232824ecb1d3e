import { Injectable } from '@nestjs/common';
import type { Principal } from '../core/identity/principal.js';
import { TOKEN_PREFIX } from '../core/identity/token-prefix.js';
import { CredentialStore, type TokenRecord } from '../core/store/index.js';
import { Clock } from '../core/time/clock.js';
import type { CredentialVerifier, PresentedCredential, Verdict } from './credential-verifier.js';
import { digest } from './digest.js';
import { toPrincipal } from './rights.js';

/** Returns the name under which the uses of a token are ended. */
export const credentialIdOf = (tokenId: string) => `token:${tokenId}`;

/** Recognises tokens that were made at run time. Each request looks its token up, so that a revoked one is refused at once. */
@Injectable()
export class RunTimeTokens implements CredentialVerifier {
  constructor(
    private readonly store: CredentialStore,
    private readonly clock: Clock,
  ) {}

  verify({ credential }: PresentedCredential): Verdict | Promise<Verdict> {
    if (credential.kind !== 'token' || !credential.token.startsWith(TOKEN_PREFIX)) return 'notMine';
    return this.decide(credential.token);
  }

  /** Returns whether a principal has such a token that has not expired. */
  has(tenant: string, principal: string): Promise<boolean> {
    return this.store.hasToken(tenant, principal);
  }

  private async decide(token: string): Promise<Verdict> {
    const record = await this.store.findToken(digest(token));
    if (!record) return { refused: 'it is not a token, or it was revoked' };
    if ((record.expiresAt ?? Infinity) <= this.clock.now()) return { refused: `the token ${record.id} has expired` };
    return toTokenPrincipal(record);
  }
}

function toTokenPrincipal({ id, expiresAt, ...rights }: TokenRecord): Principal {
  return { ...toPrincipal(rights), credentialId: credentialIdOf(id), ...(expiresAt !== undefined && { expiresAt }) };
}
