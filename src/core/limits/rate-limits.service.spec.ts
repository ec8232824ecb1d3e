import { describe, expect, it } from 'vitest';
import { GatewayError, type Role } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { loadSettings } from '../../settings.js';
import { ROLE_SCOPES, type Principal } from '../identity/principal.js';
import { SilentLogs } from '../telemetry/logs.js';
import { ManualClock } from '../../testing/index.js';
import { MemorySettings } from '../../testing/memory-settings.js';
import { RateLimitsService } from './rate-limits.service.js';

const aPrincipal = (role: Role, principal = 'p', tenant = 'default'): Principal => ({
  tenant,
  principal,
  role,
  scopes: new Set(ROLE_SCOPES[role]),
  channels: undefined,
  sender: undefined,
});

function setUp(settings: Record<string, unknown>) {
  const clock = new ManualClock();
  const config = new ConfigStoreService(loadSettings({}, settings, '/nonexistent'), new SilentLogs());
  return { clock, config, limits: new RateLimitsService(clock, config) };
}

describe('RateLimitsService', () => {
  it('[N-04] counts messages per principal, whatever client ids it uses; another principal or tenant has a separate limit', () => {
    const { limits } = setUp({ 'limits.messages_per_minute': 1 });
    const user = aPrincipal('user');
    limits.takeMessage(user, 'alice');
    expect(() => limits.takeMessage(user, 'bob')).toThrow(
      'Rate limit reached (1 messages per minute for one principal)',
    );
    limits.takeMessage(aPrincipal('user', 'q'), 'alice');
    limits.takeMessage(aPrincipal('user', 'p', 'other'), 'alice');
  });

  it('counts messages of role channel per sender, whatever their client_id', () => {
    const { limits } = setUp({ 'limits.messages_per_minute': 1 });
    const driver = aPrincipal('channel');
    limits.takeMessage(driver, 'alice');
    limits.takeMessage(driver, 'bob');
    expect(() => limits.takeMessage(driver, 'alice')).toThrow('for one sender');
  });

  it('does not confuse a sender with a client of the same name', () => {
    const { limits } = setUp({ 'limits.messages_per_minute': 1 });
    limits.takeMessage(aPrincipal('channel'), 'same');
    limits.takeMessage(aPrincipal('operator'), 'alice');
  });

  it('refuses as RATE_LIMITED, with the delay until the next message is allowed', () => {
    const { clock, limits } = setUp({ 'limits.messages_per_minute': 4 });
    const refusal = () => {
      try {
        limits.takeMessage(aPrincipal('user'), 'alice');
        return undefined;
      } catch (error) {
        return error as GatewayError;
      }
    };
    for (let i = 0; i < 4; i++) expect(refusal()).toBeUndefined();
    expect(refusal()).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 15_000 });
    clock.advance(15_000);
    expect(refusal()).toBeUndefined();
  });

  it('applies a limit that was changed at run time', async () => {
    const { config, limits } = setUp({});
    await config.open(new MemorySettings());
    await config.set('limits.messages_per_minute', 1, 'test');
    limits.takeMessage(aPrincipal('user'), 'alice');
    expect(() => limits.takeMessage(aPrincipal('user'), 'alice')).toThrow('1 messages per minute');
  });

  it('counts open connections of an address, and a place that is released twice is free once', () => {
    const { limits } = setUp({ 'limits.connections_per_address': 2 });
    const first = limits.openConnection('::1');
    limits.openConnection('::1');
    expect(limits.openConnection('::1')).toBeUndefined();
    expect(limits.openConnection('127.0.0.1')).toBeDefined();
    first?.();
    first?.();
    expect(limits.openConnection('::1')).toBeDefined();
    expect(limits.openConnection('::1')).toBeUndefined();
  });
});
