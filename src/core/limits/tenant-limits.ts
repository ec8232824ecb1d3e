import type { ConfigStoreService } from '../config/config-store.service.js';
import type { TenantSetting } from './tenants.settings.js';

/** Returns a limit of `limits.*` as it is for a tenant. */
export function readLimit(
  config: ConfigStoreService,
  tenant: string,
  name: keyof NonNullable<TenantSetting['limits']>,
): number {
  return config.get('tenants')[tenant]?.limits?.[name] ?? config.get(`limits.${name}`);
}
