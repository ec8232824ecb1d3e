import { Injectable } from '@nestjs/common';
import { JwtVerifier } from './jwt/jwt-verifier.js';
import type { KeysProblem } from './jwt/signing-keys.js';
import { OidcClientService } from './oidc/oidc-client.service.js';

/** Knows which identity providers cannot be reached. */
@Injectable()
export class IdentityProblems {
  constructor(
    private readonly jwt: JwtVerifier,
    private readonly oidc: OidcClientService,
  ) {}

  /** Lists the issuers whose keys cannot be fetched; one whose keys are used in two ways is there once. */
  list(): readonly KeysProblem[] {
    const { problem } = this.oidc;
    const all = [...this.jwt.problems, ...(problem ? [problem] : [])];
    return [...new Map(all.map((one) => [one.issuer, one])).values()];
  }
}
