import { GatewayError } from '../../protocol/domain.js';
import type { ConfigStoreService } from '../config/config-store.service.js';
import { ALL_TENANTS } from '../store/index.js';
import { isOfAllTenants } from './all-tenants.js';
import { DEFAULT_TENANT, type Principal } from './principal.js';

/**
 * Finds what a request is about: the tenant that it names, else all tenants ({@link ALL_TENANTS}) for an operator of all, else
 * the tenant of the principal. Undefined for a tenant that the principal does not see.
 */
export function findTenantScope(
  principal: Principal,
  named: string | undefined,
  config: ConfigStoreService,
): string | undefined {
  const { tenant, role, isAssumed } = principal;
  if (role === 'operator' && !isAssumed && isOfAllTenants(principal, config)) return named ?? ALL_TENANTS;
  return named === undefined || named === tenant ? tenant : undefined;
}

/** Like {@link findTenantScope}. @throws GatewayError NOT_FOUND for a tenant that the principal does not see */
export function readTenantScope(principal: Principal, named: string | undefined, config: ConfigStoreService): string {
  const scope = findTenantScope(principal, named, config);
  if (scope === undefined) throw new GatewayError('NOT_FOUND', { what: `tenant ${named}` });
  return scope;
}

/** Returns a principal as it sees: its tenant is the scope, which may be all tenants. */
export function toViewer(principal: Principal, scope: string): Principal {
  return scope === principal.tenant ? principal : { ...principal, tenant: scope };
}

/** Returns a principal as it speaks and makes things: in one tenant, which for the scope of all is the default one. */
export function toSpeaker(principal: Principal, scope: string): Principal {
  return toViewer(principal, scope === ALL_TENANTS ? DEFAULT_TENANT : scope);
}
