import type { IncomingMessage, ServerResponse } from 'node:http';
import { createParamDecorator, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { GatewayError, type Role, type Scope } from '../protocol/index.js';
import { LiveCredentialsService } from '../core/identity/live-credentials.service.js';
import { checkProven, checkScope, type Principal } from '../core/identity/principal.js';
import { admit } from './admit.js';
import { AuthService } from './auth.service.js';

const SCOPE = 'openclaw:scope';
const ROLE = 'openclaw:role';

/** Sets the scope that callers of a controller or a route must hold; checked by {@link HttpAuthGuard}. */
export const RequireScope = (scope: Scope) => SetMetadata(SCOPE, scope);

/** Sets the role that callers of a controller or a route must have, by a credential; checked by {@link HttpAuthGuard}. */
export const RequireRole = (role: Role) => SetMetadata(ROLE, role);

type AuthenticatedRequest = IncomingMessage & { principal?: Principal };

/** Injects the principal of a route guarded by {@link HttpAuthGuard}. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new Error('@Caller() needs @UseGuards(HttpAuthGuard)');
  return principal;
});

/**
 * Admits authenticated callers with the required role and scope. A route's requirements take precedence over its
 * controller's.
 */
@Injectable()
export class HttpAuthGuard implements CanActivate {
  constructor(
    private readonly auth: AuthService,
    private readonly reflector: Reflector,
    private readonly live: LiveCredentialsService,
  ) {}

  /** @throws UnauthorizedException, ServiceUnavailableException, or GatewayError RATE_LIMITED or FORBIDDEN */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    request.principal = await this.authenticate(request, http.getResponse<ServerResponse>());
    const targets = [context.getHandler(), context.getClass()];
    const role = this.reflector.getAllAndOverride<Role | undefined>(ROLE, targets);
    if (role !== undefined && request.principal.role !== role)
      throw new GatewayError('FORBIDDEN', { reason: `this needs role ${role}` });
    if (role !== undefined) checkProven(request.principal);
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(SCOPE, targets);
    checkScope(request.principal, scope);
    this.endWithCredential(request.principal, http.getResponse<ServerResponse>());
    return true;
  }

  /** A response that streams lasts no longer than the credential. */
  private endWithCredential(principal: Principal, response: ServerResponse): void {
    const release = this.live.watch(principal, () => response.destroy());
    if (release) response.once('close', release);
  }

  private async authenticate(request: IncomingMessage, response: ServerResponse): Promise<Principal> {
    const outcome = await this.auth.authenticate(request);
    if (outcome === 'unauthorized') response.setHeader('WWW-Authenticate', 'Bearer');
    return admit(outcome, 'Send Authorization: Bearer TOKEN');
  }
}
