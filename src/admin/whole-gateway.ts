import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import { ALL_TENANTS } from '../core/store/index.js';
import { GatewayError } from '../protocol/index.js';

/**
 * Returns whether a caller may see what belongs to all tenants, or to none: an operator of tenant `*`, and in a gateway
 * whose settings name no tenant but `default` each of its operators.
 */
export function seesAllTenants({ tenant }: Principal, config: ConfigStoreService): boolean {
  if (tenant === ALL_TENANTS) return true;
  if (tenant !== DEFAULT_TENANT) return false;
  const named = [...config.get('auth.tokens'), ...Object.values(config.get('agents'))];
  return named.every((entry) => (entry.tenant ?? DEFAULT_TENANT) === DEFAULT_TENANT);
}

/** @throws GatewayError FORBIDDEN unless the caller {@link seesAllTenants} */
export function checkSeesAllTenants(caller: Principal, config: ConfigStoreService): void {
  if (seesAllTenants(caller, config)) return;
  throw new GatewayError('FORBIDDEN', { reason: 'this concerns all tenants and is for operators of tenant *' });
}
