import { Injectable } from '@nestjs/common';
import { JwtVerifier } from './jwt/jwt-verifier.js';
import type { IssuerProblem } from './jwt/signing-keys.js';
import { OidcClientService } from './oidc/oidc-client.service.js';

/** Knows which identity providers cannot be reached. */
@Injectable()
export class IdentityProblems {
  constructor(
    private readonly jwt: JwtVerifier,
    private readonly oidc: OidcClientService,
  ) {}

  /** Lists the issuers that cannot be asked; one that is used in two ways is there once. */
  list(): readonly IssuerProblem[] {
    const { problem } = this.oidc;
    const all = [...(problem ? [problem] : []), ...this.jwt.problems];
    return [...new Map(all.map((one) => [one.issuer, one])).values()];
  }
}
