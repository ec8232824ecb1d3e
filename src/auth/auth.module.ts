// Promises: the principal of every request, decided in one place for all wires. Refuses to know: what requests ask for.
import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Broker } from '../core/broker/broker.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { PrincipalDirectory } from '../core/identity/principal-directory.js';
import { Clock } from '../core/time/clock.js';
import { HttpModule } from '../http/http.module.js';
import { AuthRecorder } from './auth-recorder.js';
import { AuthFailures } from './auth-failures.js';
import { AuthService } from './auth.service.js';
import { VerifierExplorer } from './credential-verifier.js';
import { HttpAuthGuard } from './http-auth.guard.js';
import { IdentityProblems } from './identity-problems.js';
import { JwtVerifier } from './jwt/jwt-verifier.js';
import { LocalTokenFile } from './local-token-file.js';
import { NodeVerifier } from './node-verifier.js';
import { listOperatorSecrets, PageSignIn } from './page-sign-in.js';
import { OidcClientService } from './oidc/oidc-client.service.js';
import { OidcController } from './oidc/oidc.controller.js';
import { SignInFlow } from './oidc/sign-in-flow.js';
import { SignInsService } from './oidc/sign-ins.service.js';
import { RunTimeTokens } from './run-time-tokens.js';
import { SignatureChecks } from './signature-checks.js';
import { TailscaleVerifier } from './tailscale-verifier.js';
import { TokenAdministrationService } from './token-administration.service.js';
import { VerifierChain } from './verifier-chain.js';

const pageSignIn = {
  provide: PageSignIn,
  useFactory: (clock: Clock, broker: Broker, config: ConfigStoreService) =>
    new PageSignIn(clock, broker, () => listOperatorSecrets(config)),
  inject: [Clock, Broker, ConfigStoreService],
};

@Global()
@Module({
  imports: [HttpModule, DiscoveryModule],
  controllers: [OidcController],
  providers: [
    AuthRecorder,
    AuthFailures,
    AuthService,
    HttpAuthGuard,
    IdentityProblems,
    JwtVerifier,
    LocalTokenFile,
    NodeVerifier,
    OidcClientService,
    pageSignIn,
    { provide: PrincipalDirectory, useExisting: AuthService },
    RunTimeTokens,
    SignatureChecks,
    SignInFlow,
    SignInsService,
    TailscaleVerifier,
    TokenAdministrationService,
    VerifierChain,
    VerifierExplorer,
  ],
  exports: [AuthService, HttpAuthGuard, IdentityProblems, PrincipalDirectory, TokenAdministrationService],
})
export class AuthModule {}
