import type { ConfigStoreService } from '../config/config-store.service.js';
import type { TenantSetting } from './tenants.settings.js';

/** Returns a limit of `limits.*` as it is for a tenant. */
export function readLimit(
  config: ConfigStoreService,
  tenant: string,
  name: keyof NonNullable<TenantSetting['limits']>,
): number {
  const tenants = config.get('tenants');
  const own = Object.hasOwn(tenants, tenant) ? tenants[tenant]?.limits?.[name] : undefined;
  return own ?? config.get(`limits.${name}`);
}
