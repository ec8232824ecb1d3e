import { beforeEach, describe, expect, it } from 'vitest';
import { MemorySettings } from '../../testing/memory-settings.js';
import { KeptLogs } from '../../testing/kept-logs.js';
import { SilentLogs } from '../telemetry/logs.js';
import { ConfigStoreService } from './config-store.service.js';
import { composeSettings, loadSettings } from '../../settings.js';
import { loadSections, readInput } from './load-settings.js';
import { defineSettings, type SettingsReader } from './section.js';

let store: MemorySettings;
beforeEach(() => (store = new MemorySettings()));

async function open(
  overrides: Record<string, unknown> = {},
  env: Record<string, string> = {},
): Promise<ConfigStoreService> {
  const config = new ConfigStoreService(
    loadSettings({ NODE_ENV: 'production', ...env }, overrides, '/nonexistent'),
    new SilentLogs(),
  );
  await config.open(store);
  return config;
}

describe('the configuration store', () => {
  it('[P-09] applies a change at once, calls its watchers (new, old) and stores it', async () => {
    const config = await open();
    const seen: unknown[] = [];
    config.watch('agent.name', (value, oldValue) => seen.push([value, oldValue]));
    config.watch('agent.concurrency', () => seen.push('not this one'));
    expect(await config.change(0, { 'agent.name': 'ada' }, 'op')).toEqual({
      kind: 'changed',
      version: 1,
      needsRestart: [],
    });
    expect(config.get('agent.name')).toBe('ada');
    expect(seen).toEqual([['ada', 'openclaw']]);
    expect((await open()).get('agent.name')).toBe('ada');
  });

  it('[P-10] changes nothing on a stale version and returns the current one', async () => {
    const [one, two] = [await open(), await open()];
    await one.change(0, { 'agent.name': 'ada' }, 'op');
    expect(await two.change(0, { 'agent.name': 'bob' }, 'op')).toEqual({ kind: 'stale', version: 1 });
    expect(two.get('agent.name')).toBe('ada');
    expect(await two.change(1, { 'agent.name': 'bob' }, 'op')).toMatchObject({ kind: 'changed', version: 2 });
    await one.reload();
    expect(one.get('agent.name')).toBe('bob');
  });

  it('reads stored values again only when they have changed', async () => {
    store.stored = { version: 1, values: { 'queue.max_total': '-1' } };
    const logs = new KeptLogs();
    const config = new ConfigStoreService(loadSettings({ NODE_ENV: 'production' }, {}, '/nonexistent'), logs);
    await config.open(store);
    await config.change(1, { 'agent.name': 'ada' }, 'op');
    for (let i = 0; i < 3; i++) await config.reload();
    expect(logs.lines.filter((line) => line.includes('no longer valid'))).toHaveLength(1);
    expect(config.get('agent.name')).toBe('ada');
  });

  it('[P-10] never returns to an older version that arrives late', async () => {
    const config = await open();
    await config.change(0, { 'agent.name': 'ada' }, 'op');
    const late = store.stored;
    await config.change(1, { 'agent.name': 'bob' }, 'op');
    store.stored = late;
    await config.reload();
    expect([config.version, config.get('agent.name')]).toEqual([2, 'bob']);
  });

  it('[P-11] changes all or nothing, with the validation of the start', async () => {
    const config = await open();
    const outcome = await config.change(
      0,
      { 'agent.name': 'ada', 'queue.max_total': 0, 'agent.nmae': 'x', 'auth.jwt': 'x', 'store.url': 'sqlite:x' },
      'op',
    );
    expect(outcome).toMatchObject({ kind: 'invalid' });
    const keys = outcome.kind === 'invalid' ? outcome.faults.map((fault) => fault.key) : [];
    expect(keys).toEqual(['queue.max_total', 'agent.nmae', 'auth.jwt', 'store.url']);
    expect([config.get('agent.name'), store.stored.version]).toEqual(['openclaw', 0]);
  });

  it('[P-11] checks rules that span several settings', async () => {
    const rule = (get: SettingsReader) =>
      get('gateway.port') === get('agent.concurrency') ? [{ key: 'gateway.port', message: 'no' }] : [];
    const schema = composeSettings().with([defineSettings({}, { rules: [rule] })]);
    const load = (overrides = {}) =>
      loadSections(schema, readInput({ NODE_ENV: 'production' }, overrides, '/nonexistent'));
    expect(() => load({ 'gateway.port': 64 })).toThrow('gateway.port: no');
    const config = new ConfigStoreService(load(), new SilentLogs());
    await config.open(store);
    expect(await config.change(0, { 'gateway.port': 64 }, 'op')).toMatchObject({ kind: 'invalid' });
    expect(await config.change(0, { 'gateway.port': 64, 'agent.concurrency': 65 }, 'op')).toMatchObject({
      kind: 'changed',
    });
  });

  it('[P-09] sets a single value from inside the gateway, whatever the version, and refuses a wrong one', async () => {
    const [one, two] = [await open(), await open()];
    await one.set('agent.name', 'ada', 'op');
    await two.set('agent.concurrency', 7, 'op');
    expect([two.get('agent.name'), two.get('agent.concurrency'), two.version]).toEqual(['ada', 7, 2]);
    await expect(two.set('agent.concurrency', -1, 'op')).rejects.toThrow('agent.concurrency');
  });

  it('[P-12] returns which changes need a restart', async () => {
    const config = await open();
    expect(await config.change(0, { 'gateway.port': 1, 'agent.name': 'ada' }, 'op')).toMatchObject({
      needsRestart: ['gateway.port'],
    });
  });

  it('[P-19] keeps the value of a setting that needs a restart until then, and shows the new one as pending', async () => {
    const config = await open();
    const seen: unknown[] = [];
    config.watch('gateway.port', (value) => seen.push(value));
    await config.change(0, { 'gateway.port': 1 }, 'op');
    const view = (from: ConfigStoreService) => from.list().find(({ key }) => key === 'gateway.port');
    expect([config.get('gateway.port'), seen]).toEqual([18_789, []]);
    expect(view(config)).toMatchObject({ value: 1, source: 'run time', isPending: true });
    const restarted = await open();
    expect(restarted.get('gateway.port')).toBe(1);
    expect(view(restarted)).toMatchObject({ value: 1, isPending: false });
    expect(await config.change(1, { 'gateway.port': null }, 'op')).toMatchObject({ needsRestart: [] });
    expect(view(config)).toMatchObject({ value: 18_789, isPending: false });
  });

  it('[P-19] warns about a setting that was read before its change was in force', async () => {
    await (await open()).change(0, { 'gateway.port': 1, 'agent.name': 'ada' }, 'op');
    const logs = new KeptLogs();
    const config = new ConfigStoreService(loadSettings({ NODE_ENV: 'production' }, {}, '/nonexistent'), logs);
    config.get('gateway.port');
    config.get('agent.name');
    config.watch('agent.name', () => {});
    await config.open(store);
    expect(logs.lines).toEqual([
      'warn a setting was read before its change at run time was in force; its reader keeps the old value',
    ]);
  });

  it('[P-13] takes precedence over file and environment, but not over the command line; null removes it', async () => {
    const config = await open({ 'gateway.port': 5 }, { OPENCLAW_AGENT_NAME: 'ada' });
    await config.change(0, { 'agent.name': 'bob', 'gateway.port': 6 }, 'op');
    const source = (key: string) => config.list().find((view) => view.key === key)?.source;
    expect([config.get('agent.name'), source('agent.name')]).toEqual(['bob', 'run time']);
    expect([config.get('gateway.port'), source('gateway.port')]).toEqual([5, 'command line']);
    await config.change(1, { 'agent.name': null }, 'op');
    expect([config.get('agent.name'), source('agent.name')]).toEqual(['ada', 'environment']);
  });

  it('[P-14] never shows a secret in a list or in the audit trail', async () => {
    const config = await open({ 'auth.tokens': [{ token: 'a-very-secret-token-0', principal: 'p', role: 'user' }] });
    await config.change(0, { 'auth.token': 'another-secret-token-1' }, 'op');
    const shown = JSON.stringify([config.list(), store.changes.map(({ before, after }) => [before, after])]);
    expect(shown).not.toMatch(/secret-token/);
    expect(shown).toContain('***');
    expect((await open()).get('auth.token')).toBe('another-secret-token-1');
  });

  it('[P-09] a watcher that throws does not stop the others', async () => {
    const config = await open();
    const seen: string[] = [];
    config.watch('agent.name', () => {
      throw new Error('no');
    });
    config.watch('agent.name', (value) => seen.push(value));
    await config.change(0, { 'agent.name': 'ada' }, 'op');
    expect(seen).toEqual(['ada']);
  });

  it('[P-11] ignores a stored value that is no longer valid', async () => {
    store.stored = { version: 3, values: { 'agent.name': '"not a name"', 'agent.concurrency': '7' } };
    const config = await open();
    expect([config.get('agent.name'), config.get('agent.concurrency')]).toEqual(['openclaw', 7]);
  });

  it('[P-08] refuses to start if a stored change violates a rule together with the settings of this start', async () => {
    store.stored = { version: 1, values: { 'gateway.host': '"0.0.0.0"' } };
    await expect(open()).rejects.toThrow(/gateway\.host: .*OPENCLAW_AUTH_TOKEN/);
    expect((await open({ 'auth.token': 'a-token-of-sixteen-chars' })).get('gateway.host')).toBe('0.0.0.0');
  });
});
