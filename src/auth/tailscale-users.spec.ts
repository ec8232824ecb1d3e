import { describe, expect, it } from 'vitest';
import { loadSettings } from '../settings.js';
import { decodeWords } from './encoded-words.js';
import { findTailscaleUser } from './tailscale-users.js';

describe('the entry of a person', () => {
  const users = {
    'ann@example.org': 'operator',
    'a*@example.org': 'channel',
    '*@example.org': 'user',
    'x*y*z': 'user',
  } as const;
  const roleOf = (login: string) => findTailscaleUser(users, login)?.role;

  it('[H-09] is their own, else that of the longest pattern', () => {
    expect(roleOf('ann@example.org')).toBe('operator');
    expect(roleOf('abe@example.org')).toBe('channel');
    expect(roleOf('bob@example.org')).toBe('user');
    for (const login of ['ann@example.org.evil.com', 'ANN@EXAMPLE.ORG', 'ann@example', '', '__proto__', 'constructor'])
      expect([login, roleOf(login)]).toEqual([login, undefined]);
  });

  it('is a pattern in which each star is any text', () => {
    for (const login of ['xyz', 'x1y2z', 'xyyz', 'xzyz']) expect([login, roleOf(login)]).toEqual([login, 'user']);
    for (const login of ['xz', 'xzy', 'yxz', 'xyza', 'xy']) expect([login, roleOf(login)]).toEqual([login, undefined]);
    expect(findTailscaleUser({ 'ab*ba': 'user' }, 'aba')).toBeUndefined();
    expect(findTailscaleUser({ '*': 'user' }, 'who')?.principal).toBe('tailscale:who');
  });

  it('[H-09] gives a user the web chat and a sender of their own', () => {
    expect(findTailscaleUser(users, 'bob@example.org')).toEqual({
      tenant: 'default',
      principal: 'tailscale:bob@example.org',
      role: 'user',
      scopes: new Set(['messages:write', 'presence:write', 'sessions:read']),
      channels: ['webchat'],
      sender: 'tailscale:bob@example.org',
    });
  });

  it('[H-09] has only scopes of its role', () => {
    const load = (entry: unknown) => () =>
      loadSettings({}, { 'auth.tailscale_users': { 'a@b.org': entry } }, '/nonexistent');
    expect(load({ role: 'user', scopes: ['sessions:read'] })).not.toThrow();
    expect(load({ role: 'user', scopes: ['config:write'] })).toThrow(
      'auth.tailscale_users.a@b.org: role user cannot hold config:write',
    );
    expect(load('king')).toThrow('auth.tailscale_users');
    expect(load({ role: 'user', sender: 'x' })).toThrow('auth.tailscale_users');
  });
});

describe('the settings of Tailscale', () => {
  const load = (environment: Record<string, string>, settings: Record<string, unknown> = {}) =>
    loadSettings(environment, settings, '/nonexistent').values;

  it('take the three values of auth.tailscale from the environment', () => {
    for (const [text, value] of [
      ['true', true],
      ['false', false],
      ['trust-local', 'trust-local'],
    ] as const)
      expect(load({ OPENCLAW_AUTH_TAILSCALE: text })['auth.tailscale']).toBe(value);
    expect(() => load({ OPENCLAW_AUTH_TAILSCALE: 'yes' })).toThrow('allowed: false, true, trust-local');
  });

  it('know the ports of a funnel', () => {
    const funnel = {
      'gateway.expose_via_tailscale': true,
      'gateway.tailscale_mode': 'funnel',
      'auth.token': 'sixteen-characters',
    };
    expect(() => load({}, { ...funnel, 'gateway.tailscale_port': 10_000 })).not.toThrow();
    expect(() => load({}, { ...funnel, 'gateway.tailscale_port': 444 })).toThrow(
      'funnel listens on 443, 8443, 10000 only',
    );
  });

  it('take as public URL what pages can trust', () => {
    const check = (url: string) => () => load({}, { 'gateway.public_url': url });
    for (const url of [
      'https://a.example',
      'https://a.example:8443/gateway/',
      'http://127.0.0.1:18789',
      'http://localhost',
    ])
      expect(check(url)).not.toThrow();
    for (const url of [
      'http://a.example',
      'ftp://a.example',
      'https://u:p@a.example',
      'https://a.example/?x',
      'a.example',
      'https://a.example/#x',
    ])
      expect(check(url)).toThrow('gateway.public_url');
  });
});

describe('an encoded word', () => {
  it('[H-09] is decoded, also in parts', () => {
    expect(decodeWords('ann@example.org')).toBe('ann@example.org');
    expect(decodeWords('=?utf-8?q?j=C3=BCrgen_a?=')).toBe('jürgen a');
    expect(decodeWords('=?UTF-8?Q?j=C3?= =?utf-8?q?=BCrgen?=')).toBe('jürgen');
    expect(decodeWords('=?utf-8?b?asO8cmdlbg==?=')).toBe('jürgen');
  });

  it('[H-10] that is not well-formed names no person', () => {
    for (const value of [
      '',
      'jürgen',
      '=?utf-8?q?a?= b',
      '=?utf-8?x?a?=',
      '=?utf-8?q?=FF?=',
      '=?latin1?q?a?=',
      '=?',
      'a\tb',
    ])
      expect([value, decodeWords(value)]).toEqual([value, undefined]);
  });
});
