import { describe, expect, it } from 'vitest';
import { MemorySettings } from '../../testing/memory-settings.js';
import { loadSettings } from '../../settings.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { SilentLogs } from '../telemetry/logs.js';
import { AgentsService } from './agents.service.js';

async function open(agents: Record<string, unknown>, bindings: readonly unknown[] = []) {
  const config = new ConfigStoreService(
    loadSettings(
      {
        NODE_ENV: 'production',
        OPENCLAW_AGENTS: JSON.stringify(agents),
        OPENCLAW_BINDINGS: JSON.stringify(bindings),
      },
      {},
      '/nonexistent',
    ),
    new SilentLogs(),
  );
  const service = new AgentsService(config);
  await config.open(new MemorySettings());
  const choose = (changes: Record<string, string> = {}) =>
    service.choose({ tenant: 'default', channel: 'chat', sender: 'ann', principal: 'driver', ...changes }).id;
  return { config, service, choose };
}

describe('the agent of a message', () => {
  it('[Z-02] without a binding is the default one of its tenant, else that of the gateway, else main', async () => {
    const none = await open({ ops: {}, acme: { tenant: 'acme' } });
    expect([none.choose(), none.choose({ tenant: 'acme' })]).toEqual(['main', 'main']);
    const both = await open({ ops: { default: true }, acme: { tenant: 'acme', default: true } });
    expect([both.choose(), both.choose({ tenant: 'acme' }), both.choose({ tenant: 'other' })]).toEqual([
      'ops',
      'acme',
      'ops',
    ]);
  });

  it('[Z-02] of an account without a binding is the default one: the account never falls silent', async () => {
    const { choose } = await open({ ops: {} }, [{ agent: 'ops', channel: 'chat', account: 'ops' }]);
    expect([choose({ channel: 'chat.ops' }), choose({ channel: 'chat.new' }), choose()]).toEqual([
      'ops',
      'main',
      'main',
    ]);
  });

  it('[Z-03] follows a change of the settings with the next message', async () => {
    const { config, choose } = await open({ ops: {} });
    expect(choose()).toBe('main');
    await config.change(0, { bindings: [{ agent: 'ops', channel: 'chat' }] }, 'ada');
    expect(choose()).toBe('ops');
    await config.change(1, { bindings: [], 'agents.ops.default': true }, 'ada');
    expect(choose({ channel: 'mail' })).toBe('ops');
  });

  it('[Z-04] is one that its tenant sees: its own, and the one of the gateway that stands in', async () => {
    const { service } = await open({ ops: {}, acme: { tenant: 'acme' }, other: { tenant: 'other', default: true } });
    const seen = (tenant: string) => service.listOf(tenant).map(({ id }) => id);
    expect([seen('default'), seen('acme'), seen('other')]).toEqual([['main', 'ops'], ['main', 'acme'], ['other']]);
    expect(service.findFor('acme', 'other')).toBeUndefined();
    expect(service.findFor('acme', 'main')?.id).toBe('main');
  });
});
