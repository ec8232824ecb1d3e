import { describe, expect, it } from 'vitest';
import { Me } from '../me.js';
import { Router } from '../router.js';
import { tenantColumn } from './tenant-column.js';

function openAt(address: string, tenant: string) {
  const location = new URL(address, 'https://gateway.example');
  const router = new Router('/console', { location, history: { pushState() {}, replaceState() {} } });
  return {
    router,
    me: new Me({ principal: 'ann', tenant, role: 'operator', all_tenants: tenant === '*', scopes: [] }),
  };
}

describe('[E14] the tenant of the rows of a list', () => {
  it.each([
    ['named to operators of all tenants', '/console/tokens', '*', ['Tenant']],
    ['not named where one tenant is chosen', '/console/tokens?tenant=acme', '*', []],
    ['not named to operators of one tenant', '/console/tokens', 'acme', []],
  ])('is %s', (_, address, tenant, heads) => {
    expect(tenantColumn(openAt(address, tenant)).map(({ head }) => head)).toEqual(heads);
  });
});
