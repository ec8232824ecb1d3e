/** All tenants, in place of the name of one: as a scope, and as the tenant of what belongs to the whole gateway. */
export const ALL_TENANTS = '*';

/** Returns whether something of `tenant` belongs to a scope: a tenant, or {@link ALL_TENANTS}. */
export function isInScope(scope: string, tenant: string): boolean {
  return scope === ALL_TENANTS || scope === tenant;
}
