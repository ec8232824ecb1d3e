import type { IncomingMessage, ServerResponse } from 'node:http';
import { createParamDecorator, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { GatewayError, type Role, type Scope } from '../protocol/index.js';
import { checkScope, type Principal } from '../core/identity/principal.js';
import { admit } from './admit.js';
import { AuthService } from './auth.service.js';

const SCOPE = 'openclaw:scope';
const ROLE = 'openclaw:role';

/** The scope that a caller of a controller or a route must hold; checked by {@link HttpAuthGuard}. */
export const RequireScope = (scope: Scope) => SetMetadata(SCOPE, scope);

/** The role that a caller of a controller or a route must have; checked by {@link HttpAuthGuard}. */
export const RequireRole = (role: Role) => SetMetadata(ROLE, role);

type AuthenticatedRequest = IncomingMessage & { principal?: Principal };

/** The caller of a route that is guarded by {@link HttpAuthGuard}. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new Error('@Caller() needs @UseGuards(HttpAuthGuard)');
  return principal;
});

/** Lets authenticated callers in, with the role and the scope that the route asks for. A route wins over its controller. */
@Injectable()
export class HttpAuthGuard implements CanActivate {
  constructor(
    private readonly auth: AuthService,
    private readonly reflector: Reflector,
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
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(SCOPE, targets);
    checkScope(request.principal, scope);
    return true;
  }

  private async authenticate(request: IncomingMessage, response: ServerResponse): Promise<Principal> {
    const outcome = await this.auth.authenticate(request);
    if (outcome === 'unauthorized') response.setHeader('WWW-Authenticate', 'Bearer');
    return admit(outcome, 'Send Authorization: Bearer TOKEN');
  }
}
