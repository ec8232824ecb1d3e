// Promises: who a request speaks for, decided in one place for every wire. Refuses to know: what they want.
import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { PrincipalDirectory } from '../core/identity/principal-directory.js';
import { HttpModule } from '../http/http.module.js';
import { AuthService } from './auth.service.js';
import { VerifierExplorer } from './credential-verifier.js';
import { HttpAuthGuard } from './http-auth.guard.js';

@Global()
@Module({
  imports: [HttpModule, DiscoveryModule],
  providers: [AuthService, HttpAuthGuard, VerifierExplorer, { provide: PrincipalDirectory, useExisting: AuthService }],
  exports: [AuthService, HttpAuthGuard, PrincipalDirectory],
})
export class AuthModule {}
