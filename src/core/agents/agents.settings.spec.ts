import { beforeEach, describe, expect, it } from 'vitest';
import { MemorySettings } from '../../testing/memory-settings.js';
import { loadSettings } from '../../settings.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { SettingsError } from '../config/section.js';
import { SilentLogs } from '../telemetry/logs.js';
import { AgentsService } from './agents.service.js';

const FOLDER = '/nonexistent';
const local = { api: 'openai-completions', base_url: 'http://127.0.0.1:1' };
const load = (settings: Record<string, unknown>) => loadSettings({ NODE_ENV: 'production' }, settings, FOLDER);

function faultsOf(settings: Record<string, unknown>): readonly string[] {
  try {
    load(settings);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  return [];
}

let store: MemorySettings;
let config: ConfigStoreService;
let agents: AgentsService;

/** Opens a gateway whose settings come from the environment, below changes at run time. */
async function open(settings: Record<string, unknown> = {}): Promise<void> {
  const environment = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      `OPENCLAW_${key.replaceAll('.', '_').toUpperCase()}`,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
  config = new ConfigStoreService(
    loadSettings({ NODE_ENV: 'production', ...environment }, {}, FOLDER),
    new SilentLogs(),
  );
  agents = new AgentsService(config);
  await config.open(store);
}
const change = (changes: Record<string, unknown>) => config.change(config.version, changes, 'ada');
beforeEach(() => (store = new MemorySettings()));

describe('the setting agents', () => {
  it.each([
    [
      'a binding with a pattern',
      { bindings: [{ agent: 'main', channel: '*' }] },
      /^bindings\[0\]\.channel: has no patterns/,
    ],
    [
      'a binding whose account is not that of its channel',
      { bindings: [{ agent: 'main', channel: 'telegram.a', account: 'b' }] },
      /^bindings\[0\]\.account: is not that of the channel, "a"/,
    ],
    [
      'a permission for an agent that does not exist',
      { agents: { ops: { permissions: ['agents:nope'] } } },
      /^agents\.ops\.permissions: "agents:nope": its tenant has no agent nope/,
    ],
    [
      'a permission for an agent of another tenant',
      { agents: { ops: { permissions: ['agents:sales'] }, sales: { tenant: 'acme' } } },
      /^agents\.ops\.permissions: "agents:sales"/,
    ],
    [
      'fallbacks without a model',
      { providers: { local }, agents: { ops: { fallbacks: ['local/x'] } } },
      /^agents\.ops\.fallbacks: stand in for a model; set agents\.ops\.model or agent\.model$/,
    ],
    [
      'fallbacks of agents of which none has a model',
      { providers: { local }, 'agent.fallbacks': ['local/x'] },
      /^agent\.fallbacks: stand in for a model; set agent\.model$/,
    ],
    ['a malformed ID', { agents: { 'Ops!': {} } }, /agents: .*\/Ops!/],
    ['an ID of 33 characters', { agents: { ['a'.repeat(33)]: {} } }, /^agents: /],
    ['an unknown field', { agents: { ops: { modle: 'x' } } }, /agents: .*\/ops\/modle/],
    ['a model without its provider', { agents: { ops: { model: 'gpt' } } }, /agents: .*\/ops\/model/],
    [
      'an unknown provider',
      { agents: { ops: { model: 'nowhere/gpt' } } },
      /^agents\.ops\.model: the provider "nowhere"/,
    ],
    [
      'an unknown provider of a fallback',
      { agents: { ops: { fallbacks: ['nowhere/gpt'] } } },
      /^agents\.ops\.fallbacks: the provider "nowhere"/,
    ],
    [
      'a runtime with a model and no model',
      { agents: { ops: { runtime: 'pi' } } },
      /^agents\.ops\.model: is needed by agents\.ops\.runtime/,
    ],
    [
      'a provider of another tenant',
      { agents: { ops: { model: 'local/m' } }, providers: { local: { ...local, tenant: 'acme' } } },
      /^agents\.ops\.model: .*another tenant/,
    ],
    [
      'two default agents',
      { agents: { a: { default: true }, b: { default: true } } },
      /^agents\.b\.default: a is the default agent of tenant default already/,
    ],
    ['main as the agent of one tenant', { agents: { main: { tenant: 'acme' } } }, /^agents\.main\.tenant: /],
    ['a name that cannot be mentioned', { agents: { ops: { name: 'two words' } } }, /agents: .*\/ops\/name/],
  ])('refuses %s and names the place', (_, settings, message) => {
    expect(faultsOf(settings)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    ['a default agent for each tenant', { agents: { a: { default: true }, b: { default: true, tenant: 'acme' } } }],
    ['no default agent', { agents: { a: {} } }],
    [
      'a provider for the agents of one tenant',
      { agents: { ops: { model: 'local/m', tenant: 'acme' } }, providers: { local: { ...local, tenant: 'acme' } } },
    ],
  ])('accepts %s', (_, settings) => {
    expect(faultsOf(settings)).toEqual([]);
  });

  it('gives each agent its own values, and those of `agent.*` where it has none', async () => {
    await open({
      'agent.name': 'claw',
      'agent.model': 'local/big',
      'agent.system_prompt': 'Be brief.',
      'tools.default_permissions': ['web'],
      providers: { local },
      agents: { main: { model: 'local/small' }, ops: { permissions: ['shell'], tools: { deny: ['http.*'] } } },
    });
    expect(agents.get('main')).toMatchObject({
      name: 'claw',
      model: 'local/small',
      permissions: ['web'],
      tools: { deny: [] },
    });
    expect(agents.get('ops')).toMatchObject({
      name: 'ops',
      model: 'local/big',
      systemPrompt: 'Be brief.',
      permissions: ['shell'],
      tools: { deny: ['http.*'] },
    });
    expect(agents.list().map(({ id }) => id)).toEqual(['main', 'ops']);
    expect(() => agents.get('ghost')).toThrow('the agent ghost does not exist any more');
  });
});

describe('the setting bindings', () => {
  it.each([
    ['an unknown agent', [{ agent: 'ops', channel: 'slack' }], /^bindings\[0\]\.agent: there is no agent ops/],
    [
      'another tenant than its agent',
      [{ agent: 'main', tenant: 'acme' }],
      /^bindings\[0\]\.tenant: the agent main is of tenant default/,
    ],
    [
      'equal bindings',
      [
        { agent: 'main', channel: 'a' },
        { agent: 'main', channel: 'b' },
        { agent: 'main', channel: 'a' },
      ],
      /^bindings\[2\]: .*bindings\[0\]/,
    ],
    ['a binding without a field', [{ agent: 'main' }], /^bindings\[0\]: needs at least one of/],
    ['an unknown field', [{ agent: 'main', chanel: 'a' }], /bindings: .*\/0\/chanel/],
  ])('refuses %s and names the place', (_, bindings, message) => {
    expect(faultsOf({ bindings })).toEqual([expect.stringMatching(message)]);
  });
});

describe('a change of agents at run time', () => {
  it('sets one field, keeps the others of the file, and is undone by null', async () => {
    await open({ agents: { ops: { name: 'olga' } } });
    await change({ 'agents.ops.description': 'Runs the machines', 'agents.new.name': 'nora' });
    expect(config.get('agents')).toEqual({
      ops: { name: 'olga', description: 'Runs the machines' },
      new: { name: 'nora' },
    });
    expect(agents.get('ops').description).toBe('Runs the machines');
    expect(config.sourceOf('agents.ops.description')).toBe('run time');
    await change({ 'agents.ops.description': null, 'agents.new': null });
    expect(config.get('agents')).toEqual({ ops: { name: 'olga' } });
  });

  it('of the whole map replaces earlier changes of its parts, and both survive a restart', async () => {
    await open();
    await change({ 'agents.ops.name': 'olga' });
    await change({ agents: { sales: {} } });
    await change({ 'agents.sales.name': 'sam' });
    await open();
    expect(config.get('agents')).toEqual({ sales: { name: 'sam' } });
    await change({ agents: null });
    expect([config.get('agents'), store.stored.values]).toEqual([{}, {}]);
  });

  it('is checked like the settings of the start', async () => {
    await open({ agents: { ops: {} }, bindings: [{ agent: 'ops', channel: 'slack' }] });
    const faults = async (changes: Record<string, unknown>) => {
      const outcome = await change(changes);
      return outcome.kind === 'invalid' ? outcome.faults.map(({ key, message }) => `${key}: ${message}`) : outcome;
    };
    expect(await faults({ 'agents.ops.modle': 'x' })).toEqual([
      expect.stringMatching(/^agents\.ops\.modle: .*unknown key/),
    ]);
    expect(await faults({ 'agents.ops.model': 'nowhere/x' })).toEqual([
      expect.stringMatching(/^agents\.ops\.model: the provider/),
    ]);
    const bound = 'does not go with bindings[0].agent: there is no agent ops';
    expect(await faults({ agents: {} })).toEqual([`agents: ${bound}`]);
    expect(await faults({ 'agent.name': 'ada', agents: {} })).toEqual([`agents: ${bound}`]);
    expect(await faults({ bindings: [{ agent: 'nope', sender: 'x' }] })).toEqual([
      'bindings[0].agent: there is no agent nope',
    ]);
    expect(await faults({ 'agents.__proto__.name': 'x' })).toHaveLength(1);
    expect(config.version).toBe(0);
  });

  it('needs config:dangerous only where permissions, tools, files, workspace or tenant differ', async () => {
    await open({ agents: { ops: { name: 'olga', permissions: ['shell'] } } });
    const scopes = (changes: Record<string, unknown>) => [...config.scopesOf(changes)];
    expect(scopes({ 'agents.ops.model': 'local/x' })).toEqual(['config:write']);
    expect(scopes({ agents: { ops: { name: 'otto', permissions: ['shell'] } } })).toEqual(['config:write']);
    expect(scopes({ agents: { ops: { name: 'olga' } } })).toEqual(['config:dangerous']);
    expect(scopes({ agents: null })).toEqual(['config:write']);
    expect(scopes({ bindings: [] })).toEqual(['config:write']);
    for (const field of ['permissions', 'tools', 'prompt_files', 'skills', 'workspace', 'tenant'])
      expect(scopes({ [`agents.ops.${field}`]: ['x'] })).toEqual(['config:dangerous']);
    expect(scopes({ 'agents.ops.tools.deny': ['x'] })).toEqual(['config:dangerous']);
  });

  it('may name files below the folder of the settings only', async () => {
    await open({ agents: { ops: { prompt_files: ['/etc/motd'] } } });
    const set = (files: readonly string[]) => change({ 'agents.ops.prompt_files': files });
    expect(await set(['prompts/ops.md', '/etc/motd', `${FOLDER}/x.md`])).toMatchObject({ kind: 'changed' });
    for (const path of ['../secret', '/etc/passwd', '.', 'a/../../b'])
      expect(await set([path])).toMatchObject({ kind: 'invalid', faults: [{ key: 'agents.ops.prompt_files' }] });
  });
});
