import { GatewayError } from '../../protocol/domain.js';
import type { ConfigStoreService } from '../config/config-store.service.js';
import type { SettingsReader } from '../config/section.js';
import { ALL_TENANTS } from '../store/index.js';
import { DEFAULT_TENANT, type Principal } from './principal.js';

/**
 * Returns whether a principal is one of all tenants: by its credential, or because the settings name no tenant but the
 * default one.
 */
export function isOfAllTenants(principal: Pick<Principal, 'tenant'>, config: ConfigStoreService): boolean {
  return isOfAllUnder(principal, (key) => config.get(key));
}

function isOfAllUnder({ tenant }: Pick<Principal, 'tenant'>, get: SettingsReader): boolean {
  if (tenant !== DEFAULT_TENANT) return tenant === ALL_TENANTS;
  const providers = [get('auth.jwt'), get('auth.oidc'), ...get('auth.jwt_issuers')];
  return (
    providers.every((provider) => provider?.claims?.tenant === undefined) &&
    listNamedTenants(get).every((name) => name === DEFAULT_TENANT || name === ALL_TENANTS)
  );
}

/** Lists the tenants that the settings name, which may be `ALL_TENANTS`. */
export function listNamedTenants(get: SettingsReader): readonly string[] {
  const entries = [...get('auth.tokens'), ...Object.values(get('agents'))];
  return [...entries.map((entry) => entry.tenant ?? DEFAULT_TENANT), ...Object.keys(get('tenants'))];
}

/**
 * Checks that a principal is one of all tenants, for operations on the whole process.
 * @throws GatewayError FORBIDDEN
 */
export function checkAllTenants(principal: Principal, config: ConfigStoreService): void {
  if (isOfAllTenants(principal, config)) return;
  throw new GatewayError('FORBIDDEN', {
    reason: 'this is about all tenants: it needs a credential whose tenant is "*"',
  });
}

/**
 * Checks that a change of the settings leaves its author a speaker for all tenants: otherwise only a credential of tenant
 * `*` could change it back.
 * @throws GatewayError FORBIDDEN
 */
export function checkStaysOfAll(author: Principal, after: SettingsReader): void {
  if (isOfAllUnder(author, after)) return;
  throw new GatewayError('FORBIDDEN', {
    reason:
      'the first setting that names another tenant needs a credential whose tenant is "*"; add one for yourself first',
  });
}
