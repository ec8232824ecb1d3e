import type { IncomingMessage, ServerResponse } from 'node:http';
import { createParamDecorator, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { LiveCredentialsService } from '../core/identity/live-credentials.service.js';
import { checkProven, checkScope, type Principal } from '../core/identity/principal.js';
import { TENANT_NAME, TENANT_NAME_RULE } from '../core/identity/tenant-name.js';
import { readTenantScope, toSpeaker, toViewer } from '../core/identity/tenant-scope.js';
import { GatewayError, type Role, type Scope } from '../protocol/index.js';
import { admit } from './admit.js';
import { AuthService } from './auth.service.js';

const SCOPE = 'openclaw:scope';
const ROLE = 'openclaw:role';

/** Sets the scope that callers of a controller or a route must hold; checked by {@link HttpAuthGuard}. */
export const RequireScope = (scope: Scope) => SetMetadata(SCOPE, scope);

/** Sets the role that callers of a controller or a route must have, by a credential; checked by {@link HttpAuthGuard}. */
export const RequireRole = (role: Role) => SetMetadata(ROLE, role);

/** A request of Express. */
type GuardedRequest = IncomingMessage & {
  readonly query: Readonly<Record<string, unknown>>;
  caller?: { readonly principal: Principal; readonly scope: string };
};

/** Injects the principal of a route guarded by {@link HttpAuthGuard}, with the tenant of its credential. */
export const Caller = injectCaller((principal) => principal);

/**
 * Injects the principal with the tenant that the request is about, which may be all (`ALL_TENANTS`): for lists and for what is
 * named by its ID.
 */
export const Viewer = injectCaller(toViewer);

/** Injects the principal with the one tenant in which it speaks and makes things. */
export const Speaker = injectCaller(toSpeaker);

function injectCaller(toPrincipal: (principal: Principal, scope: string) => Principal) {
  return createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
    const { caller } = context.switchToHttp().getRequest<GuardedRequest>();
    if (!caller) throw new Error('the caller of a route is known with @UseGuards(HttpAuthGuard)');
    return toPrincipal(caller.principal, caller.scope);
  });
}

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
    private readonly config: ConfigStoreService,
  ) {}

  /**
   * Takes `tenant` out of the query: it is the same for all routes.
   * @throws UnauthorizedException, ServiceUnavailableException, or GatewayError RATE_LIMITED, FORBIDDEN, NOT_FOUND or
   * INVALID_PAYLOAD
   */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<GuardedRequest>();
    const principal = await this.authenticate(request, http.getResponse<ServerResponse>());
    const targets = [context.getHandler(), context.getClass()];
    const role = this.reflector.getAllAndOverride<Role | undefined>(ROLE, targets);
    if (role !== undefined && principal.role !== role)
      throw new GatewayError('FORBIDDEN', { reason: `this needs role ${role}` });
    if (role !== undefined) checkProven(principal);
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(SCOPE, targets);
    checkScope(principal, scope);
    request.caller = { principal, scope: readTenantScope(principal, takeTenant(request), this.config) };
    this.endWithCredential(principal, http.getResponse<ServerResponse>());
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

/** @throws GatewayError INVALID_PAYLOAD */
function takeTenant(request: GuardedRequest): string | undefined {
  const { tenant, ...query } = request.query;
  if (tenant === undefined) return undefined;
  if (typeof tenant !== 'string' || !TENANT_NAME.test(tenant)) {
    const message = `must be ${TENANT_NAME_RULE}`;
    throw new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer: '/tenant', message }] });
  }
  // Express parses the query at each access.
  Object.defineProperty(request, 'query', { value: query });
  return tenant;
}
