import Type from 'typebox';

/** The name of a tenant. That of all tenants is not one. It begins with a letter or a digit: no path, no option, no `__proto__`. */
export const TENANT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The rule of {@link TENANT_NAME} in words, after "must be". */
export const TENANT_NAME_RULE =
  'the name of a tenant: 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-", first a letter or a digit';

/** The schema of the name of a tenant in a setting. */
export const TenantName = (options: { readonly 'x-scope'?: 'config:dangerous' } = {}) =>
  Type.String({ pattern: TENANT_NAME.source, ...options });

/** The schema of the tenant of a credential: the name of one, or `*` for all. */
export const TenantScope = () => Type.String({ pattern: `^\\*$|${TENANT_NAME.source}` });
