import { GatewayError } from '../../protocol/domain.js';
import type { ConfigStoreService } from '../config/config-store.service.js';
import { ALL_TENANTS } from '../store/index.js';
import { DEFAULT_TENANT, type Principal } from './principal.js';

/**
 * Returns whether a principal speaks for all tenants: its credential says so, or the settings name no tenant but the default
 * one.
 */
export function isOfAllTenants({ tenant }: Pick<Principal, 'tenant'>, config: ConfigStoreService): boolean {
  if (tenant !== DEFAULT_TENANT) return tenant === ALL_TENANTS;
  const providers = [config.get('auth.jwt'), config.get('auth.oidc'), ...config.get('auth.jwt_issuers')];
  return (
    providers.every((provider) => provider?.claims?.tenant === undefined) &&
    listNamedTenants(config).every((name) => name === DEFAULT_TENANT || name === ALL_TENANTS)
  );
}

/** Lists the tenants that the settings name, which may be `ALL_TENANTS`. */
export function listNamedTenants(config: ConfigStoreService): readonly string[] {
  const entries = [...config.get('auth.tokens'), ...Object.values(config.get('agents'))];
  return [...entries.map((entry) => entry.tenant ?? DEFAULT_TENANT), ...Object.keys(config.get('tenants'))];
}

/**
 * Checks that a principal speaks for all tenants, for what belongs to the process.
 * @throws GatewayError FORBIDDEN
 */
export function checkAllTenants(principal: Principal, config: ConfigStoreService): void {
  if (isOfAllTenants(principal, config)) return;
  throw new GatewayError('FORBIDDEN', {
    reason: 'this is about all tenants: it needs a credential whose tenant is "*"',
  });
}

/**
 * Checks that a principal is of the default tenant or of all, for settings of the whole gateway.
 * @param what the sentence up to its predicate, for example `settings are`
 * @throws GatewayError FORBIDDEN
 */
export function checkDefaultTenant({ tenant }: Principal, what: string): void {
  if (tenant === DEFAULT_TENANT || tenant === ALL_TENANTS) return;
  throw new GatewayError('FORBIDDEN', { reason: `${what} for operators of tenant ${DEFAULT_TENANT}` });
}
