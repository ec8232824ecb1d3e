/** Authentication: from credentials to principals. */
export { AuthModule } from './auth.module.js';
export type { AuthFailure } from './auth-failures.js';
export { AuthService, type AuthOutcome } from './auth.service.js';
export {
  VerifiesCredentials,
  type CredentialVerifier,
  type PresentedCredential,
  type Refusal,
  type Verdict,
} from './credential-verifier.js';
export { admit } from './admit.js';
export { Caller, HttpAuthGuard, RequireRole, RequireScope, Speaker, Viewer } from './http-auth.guard.js';
export { LocalToken } from './local-token.js';
export { checkGrants } from './grants.js';
export { IdentityProblems } from './identity-problems.js';
export { EXPIRES_SOON_MS, TokenAdministrationService } from './token-administration.service.js';
export { Whois } from './whois.js';
