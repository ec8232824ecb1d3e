import { describe, expect, it } from 'vitest';
import { loadSettings } from '../settings.js';

const check = (settings: Record<string, unknown>) => loadSettings({}, settings, '/nonexistent');

describe('the exposure rule', () => {
  it.each(['127.0.0.1', '127.0.0.2', '::1', 'localhost'])('allows open mode on %s', (host) => {
    expect(() => check({ 'gateway.host': host })).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'gateway.example', 'localhost.example'])(
    '[P-08] refuses %s without a credential, and names the setting to change',
    (host) => {
      expect(() => check({ 'gateway.host': host })).toThrow(/auth\.token \(environment variable OPENCLAW_AUTH_TOKEN\)/);
    },
  );

  it('allows any host with a credential', () => {
    expect(() => check({ 'gateway.host': '0.0.0.0', 'auth.token': 'sixteen-characters' })).not.toThrow();
    const token = { token: 'sixteen-characters', principal: 'a', role: 'user' };
    expect(() => check({ 'gateway.host': '0.0.0.0', 'auth.tokens': [token] })).not.toThrow();
  });
});
