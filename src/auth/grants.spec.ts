import { describe, expect, it } from 'vitest';
import type { SettingsReader } from '../core/config/section.js';
import { LOCAL_OPERATOR, type Principal } from '../core/identity/principal.js';
import type { TokenSetting } from './auth.settings.js';
import { checkGrants } from './grants.js';

const OWN: TokenSetting = { token: 'own', principal: 'ann', role: 'operator', tool_permissions: ['http', 'memory'] };

/** Returns a call that checks a change by `author` which adds `token`. */
function add(token: Partial<TokenSetting>, author: Partial<Principal> = {}): () => void {
  const reader = (tokens: readonly TokenSetting[]) =>
    ((key: string) =>
      ({ 'auth.tokens': tokens, 'auth.jwt_issuers': [], 'auth.tailscale_users': {} })[key]) as SettingsReader;
  const added: TokenSetting = { token: 'new', principal: 'new', role: 'user', ...token };
  return () => checkGrants({ ...LOCAL_OPERATOR, principal: 'ann', ...author }, reader([OWN]), reader([OWN, added]));
}

describe('a credential that is made at run time', () => {
  const tool_permissions = ['http'];

  it('[P-20] may have the rights of its maker', () => {
    expect(add({ tool_permissions })).not.toThrow();
    expect(add({ tool_permissions, channels: ['slack'] }, { channels: ['slack', 'mail'] })).not.toThrow();
  });

  it('[P-20] has no other channels', () => {
    expect(add({ tool_permissions, channels: ['mail'] }, { channels: ['slack'] })).toThrow('channel mail');
    expect(add({ tool_permissions }, { channels: ['slack'] })).toThrow('channel any');
  });

  it('[P-20] has no other tools, also with the name of its maker', () => {
    expect(add({ tool_permissions: ['http', 'shell'] })).toThrow('tool permission shell');
    expect(add({})).toThrow('tool permission any');
    expect(add({ principal: OWN.principal, role: OWN.role })).toThrow('tool permission any');
  });

  it('[P-20] has no other scopes', () => {
    const author = { scopes: new Set(['admin:read'] as const) };
    expect(add({ tool_permissions, role: 'operator' }, author)).toThrow('more rights');
    expect(add({ tool_permissions, role: 'operator', scopes: ['config:write'] }, author)).toThrow('config:write');
  });

  it('[P-20] may be an entry for people of the tailnet, with no more rights either', () => {
    const reader = (users: object) =>
      ((key: string) =>
        ({ 'auth.tokens': [], 'auth.jwt_issuers': [], 'auth.tailscale_users': users })[key]) as SettingsReader;
    const author: Principal = { ...LOCAL_OPERATOR, scopes: new Set(['config:dangerous', 'admin:read']) };
    const entry = { 'a@b.org': { role: 'operator', scopes: ['admin:read'] } };
    expect(() => checkGrants(author, reader({}), reader(entry))).not.toThrow();
    expect(() => checkGrants(author, reader({}), reader({ 'a@b.org': 'operator' }))).toThrow('tokens:write');
    expect(() => checkGrants(author, reader(entry), reader({ 'a@b.org': 'operator' }))).toThrow('tokens:write');
    const known = { 'boss@b.org': 'operator' };
    expect(() => checkGrants(author, reader(known), reader({ ...known, ...entry }))).not.toThrow();
  });

  it('[P-20] may be a group of an identity provider, with no more rights either, also of those that were there', () => {
    const reader = (jwt?: object) =>
      ((key: string) =>
        ({ 'auth.tokens': [], 'auth.jwt_issuers': [], 'auth.tailscale_users': {}, 'auth.jwt': jwt })[
          key
        ]) as SettingsReader;
    const author: Principal = { ...LOCAL_OPERATOR, scopes: new Set(['tokens:write', 'admin:read']) };
    const provider = (issuer: string, scopes?: string[]) => ({
      ...{ issuer, audience: 'gw' },
      claims: { roles: { admins: { role: 'operator', scopes } } },
    });
    expect(() => checkGrants(author, reader(), reader(provider('https://a.example', ['admin:read'])))).not.toThrow();
    expect(() => checkGrants(author, reader(), reader(provider('https://a.example')))).toThrow('config:write');
    const known = reader(provider('https://a.example'));
    expect(() => checkGrants(author, known, known)).not.toThrow();
    expect(() => checkGrants(author, known, reader(provider('https://evil.example')))).toThrow('config:write');
  });
});
