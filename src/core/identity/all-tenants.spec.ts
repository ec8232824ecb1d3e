import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../settings.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { SilentLogs } from '../telemetry/logs.js';
import { checkAllTenants, isOfAllTenants } from './all-tenants.js';
import { LOCAL_OPERATOR } from './principal.js';

const of = (tenant: string) => ({ ...LOCAL_OPERATOR, tenant });
const configOf = (settings: Readonly<Record<string, unknown>>) =>
  new ConfigStoreService(loadSettings({ NODE_ENV: 'production' }, settings, '/nonexistent'), new SilentLogs());
const token = (tenant: string) => ({
  token: `token-of-0123456789-${tenant.length}`,
  principal: 'p',
  role: 'operator',
  tenant,
});

describe('an operator of the default tenant', () => {
  it('speaks for all tenants where the settings name no other', () => {
    expect(isOfAllTenants(of('default'), configOf({}))).toBe(true);
    expect(isOfAllTenants(of('default'), configOf({ 'auth.tokens': [token('default'), token('*')] }))).toBe(true);
  });

  it.each([
    ['a token', { 'auth.tokens': [token('acme')] }],
    ['a quota', { tenants: { acme: { quotas: { turns: 4 } } } }],
    ['an agent', { agents: { ops: { description: 'Runs the machines', tenant: 'acme' } } }],
    [
      'the claims of an identity provider',
      {
        'auth.jwt': {
          issuer: 'https://idp.example',
          audience: 'gateway',
          jwks_url: 'https://idp.example/keys',
          claims: { tenant: 'org', roles: { staff: { role: 'operator' } } },
        },
      },
    ],
  ])('speaks for its own tenant alone where %s names another', (_, settings) => {
    const config = configOf(settings);
    expect(isOfAllTenants(of('default'), config)).toBe(false);
    expect(() => checkAllTenants(of('default'), config)).toThrow('it needs a credential whose tenant is "*"');
    expect(isOfAllTenants(of('*'), config)).toBe(true);
  });
});

it('an operator of another tenant never speaks for all', () => {
  expect(isOfAllTenants(of('acme'), configOf({}))).toBe(false);
});
