import { describe, expect, it } from 'vitest';
import { Module } from '@nestjs/common';
import { loadSettings } from '../settings.js';
import { VerifiesCredentials, type CredentialVerifier } from './index.js';

const check = (settings: Record<string, unknown>) => loadSettings({}, settings, '/nonexistent');

@VerifiesCredentials()
class AcmeVerifier implements CredentialVerifier {
  verify() {
    return 'notMine' as const;
  }
}

@Module({ providers: [AcmeVerifier] })
class AcmeModule {}

describe('the exposure rule', () => {
  it('[P-08] counts the verifier of a module as a credential', () => {
    const settings = { 'gateway.host': '0.0.0.0' };
    for (const modules of [
      [AcmeModule],
      [{ module: class {}, providers: [{ provide: 'verifier', useClass: AcmeVerifier }] }],
      [{ module: class {}, imports: [AcmeModule] }],
    ])
      expect(() => loadSettings({}, settings, '/nonexistent', modules)).not.toThrow();
    expect(() => loadSettings({}, settings, '/nonexistent', [class {}])).toThrow('auth.token');
  });

  it('[H-07] needs a credential for a funnel, and not for serve', () => {
    const exposed = { 'gateway.expose_via_tailscale': true };
    const funnel = { ...exposed, 'gateway.tailscale_mode': 'funnel' };
    expect(() => check(exposed)).not.toThrow();
    expect(() => check(funnel)).toThrow('gateway.tailscale_mode: funnel opens the gateway to the internet');
    expect(() => check({ ...funnel, 'auth.token': 'sixteen-characters' })).not.toThrow();
    expect(() => loadSettings({}, funnel, '/nonexistent', [AcmeModule])).not.toThrow();
  });

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
