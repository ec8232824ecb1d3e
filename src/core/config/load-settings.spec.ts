import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../settings.js';
import { SettingsError } from './section.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'settings-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(join(folder, name), content);

function faultsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map((fault) => `${fault.key}: ${fault.message}`);
    throw error;
  }
  throw new Error('no fault was found');
}

describe('the settings', () => {
  it('[P-01] come from defaults, then the file, then the environment, then the command line', () => {
    write('config.yaml', 'gateway:\n  port: 1001\nagent:\n  name: ada\nqueue:\n  max_total: 7\n');
    const { values, sources } = loadSettings(
      { OPENCLAW_GATEWAY_PORT: '1002', OPENCLAW_QUEUE_MAX_TOTAL: '8' },
      { 'gateway.port': 1003 },
      folder,
    );
    expect(values['gateway.host']).toBe('127.0.0.1');
    expect(values['agent.name']).toBe('ada');
    expect(values['queue.max_total']).toBe(8);
    expect(values['gateway.port']).toBe(1003);
    expect(['gateway.host', 'agent.name', 'queue.max_total', 'gateway.port'].map((key) => sources.get(key))).toEqual([
      'default',
      'file',
      'environment',
      'command line',
    ]);
  });

  it('[P-02] are read from .env in development and not in production', () => {
    write('.env', 'OPENCLAW_AGENT_NAME=ada\n');
    expect(loadSettings({}, {}, folder).values['agent.name']).toBe('ada');
    expect(loadSettings({ NODE_ENV: 'production' }, {}, folder).values['agent.name']).toBe('openclaw');
  });

  it('[P-03] are read from the files that variables ending in _FILE name', () => {
    write('secret', 'a-token-of-sixteen-chars\n');
    const { values } = loadSettings({ OPENCLAW_AUTH_TOKEN_FILE: join(folder, 'secret') }, {}, folder);
    expect(values['auth.token']).toBe('a-token-of-sixteen-chars');
  });

  it('[P-04] ignore variables that Kubernetes injects and warn about other unknown variables', () => {
    const { values, warnings } = loadSettings(
      {
        OPENCLAW_GATEWAY_PORT: 'tcp://10.0.0.1:80',
        OPENCLAW_GATEWAY_SERVICE_HOST: '10.0.0.1',
        OPENCLAW_GATEWAY_PORT_80_TCP: 'tcp://10.0.0.1:80',
        OPENCLAW_GATWAY_HOST: 'x',
      },
      {},
      folder,
    );
    expect(values['gateway.port']).toBe(18_789);
    expect(warnings).toEqual(['The environment variable OPENCLAW_GATWAY_HOST is not a setting and is ignored']);
  });

  it('[P-05] fail the start with every fault, each with its key and the allowed values', () => {
    write('config.yaml', 'gateway:\n  port: high\n  hots: x\nqueue:\n  max_total: 0\n');
    const faults = faultsOf(() => loadSettings({ OPENCLAW_LOG_LEVEL: 'loud', OPENCLAW_AUTH_TOKENS: '[' }, {}, folder));
    expect(faults).toHaveLength(5);
    expect(faults.join('\n')).toMatch(/gateway\.port: .*whole number from 0 to 65535/);
    expect(faults.join('\n')).toMatch(/gateway\.hots: unknown setting; known here: host, port/);
    expect(faults.join('\n')).toMatch(/queue\.max_total: .*from 1 to 10000000/);
    expect(faults.join('\n')).toMatch(/log\.level: .*trace, debug, info, warn, error/);
    expect(faults.join('\n')).toMatch(/OPENCLAW_AUTH_TOKENS: is not JSON/);
  });

  it('[P-05] name the allowed values of a part of a list or of a map', () => {
    const fault = (changes: object) => {
      const tokens = [{ principal: 'a', role: 'user', ...changes }];
      return faultsOf(() => loadSettings({ OPENCLAW_AUTH_TOKENS: JSON.stringify(tokens) }, {}, folder)).join();
    };
    expect(fault({ role: 'admin' })).toMatch(/at \/0\/role\); allowed: channel, user, node, operator/);
    expect(fault({ rol: 'user' })).toMatch(/unknown key \(at \/0\/rol\); allowed: a map with token, .*role/);
    const providers = { one: { api: 'x', base_url: 'http://x' } };
    expect(faultsOf(() => loadSettings({}, { providers }, folder)).join()).toMatch(
      /at \/one\/api\); allowed: openai-completions, /,
    );
  });

  it.each([
    ['agents', { 'Support Team': {} }, /allowed: IDs of 1 to 32 of a-z, 0-9 and -, for example support-eu/],
    ['mcp.servers', { 'my files': { command: 'x' } }, /allowed: names of 1 to 32 of A-Z, a-z, 0-9 and -/],
    ['providers', { 'a/b': {} }, /allowed: names of 1 to 64 characters without \/ and blanks/],
  ])('[P-05] name the keys that %s accepts', (key, value, message) => {
    expect(faultsOf(() => loadSettings({}, { [key]: value }, folder)).join()).toMatch(message);
  });

  it('[P-24] may have 10,000 bindings in the file; of a fault in one, its place is named', () => {
    const entries = Array.from({ length: 10_000 }, (_, i) => `  - { agent: main, channel: test, group_id: g${i} }\n`);
    write('config.yaml', `bindings:\n${entries.join('')}`);
    expect(loadSettings({}, {}, folder).values.bindings).toHaveLength(10_000);
    // To parse the file takes a second.
    write('config.yaml', '');
    const bindings = (changed: object, length = 10_000) =>
      Array.from({ length }, (_, i) => ({ agent: 'main', group_id: `g${i}`, ...(i === 9_876 && changed) }));
    const fault = (value: unknown) => faultsOf(() => loadSettings({}, { bindings: value }, folder)).join();
    expect(fault(bindings({ chanel: 'x' }))).toMatch(/unknown key \(at \/9876\/chanel\); allowed: a map with agent, /);
    expect(fault(bindings({ agent: 5 }))).toMatch(/at \/9876\/agent\); quote it; allowed: text that matches /);
    expect(fault(bindings({ group_id: 'g1' }))).toContain(
      'bindings[9876]: has the same fields and values as bindings[1]',
    );
    expect(fault(bindings({ agent: 5 }, 100_001))).toContain('must not have more than 100000 items');
    const unknown = bindings({}).map((binding) => ({ ...binding, agent: 'ops' }));
    expect(() => loadSettings({}, { bindings: unknown }, folder)).toThrow('and 9900 more');
  });

  it('[P-06] of features that do not exist yet are refused by name', () => {
    write(
      'config.yaml',
      `auth:\n  tokens: [{token: ${'t'.repeat(32)}, principal: a, role: user, agents: [ops]}]\nstore:\n  url: postgres://a:b@c/d\n`,
    );
    const faults = faultsOf(() => loadSettings({}, {}, folder)).join('\n');
    expect(faults).toMatch(/auth\.tokens: .*not part of this version.* \(at \/0\/agents\)/);
    expect(faults).toMatch(/store\.url: PostgreSQL is not part of this version/);
    expect(faults).not.toContain('a:b@c');
  });

  it('[P-07] refuse a token that is not valid in a subprotocol, without showing it', () => {
    const tokens = JSON.stringify([
      { token: 'has+bad/characters===', principal: 'p', role: 'user' },
      { principal: 'q', role: 'user' },
    ]);
    const faults = faultsOf(() => loadSettings({ OPENCLAW_AUTH_TOKENS: tokens }, {}, folder)).join('\n');
    expect(faults).toContain('auth.tokens');
    expect(faults).not.toContain('has+bad');
  });

  it('[P-07] refuse a token entry without a credential, or with two', () => {
    const tokens = [
      { principal: 'p', role: 'user' },
      { token: 'a-token-of-sixteen-chars', token_sha256: '0'.repeat(64), principal: 'p', role: 'user' },
    ];
    const faults = faultsOf(() => loadSettings({ OPENCLAW_AUTH_TOKENS: JSON.stringify(tokens) }, {}, folder));
    expect(faults).toHaveLength(2);
  });

  it('[P-06] of a channel without a driver, and misspelt ones, are refused with the names that there are', () => {
    write(
      'config.yaml',
      'channels:\n  telegramm: {bot_token: x}\n  slack: {bot_tokn: x}\n  pager: {busy_policy: followup}\n',
    );
    expect(faultsOf(() => loadSettings({}, {}, folder))).toEqual([
      'channels.telegramm.bot_token: there is no driver for the channel telegramm (did you mean telegram?); there are discord, slack, telegram, whatsapp',
      expect.stringMatching(
        /^channels\.slack\.bot_tokn: is not a setting of the channel slack \(did you mean bot_token\?\); there are accounts, /,
      ),
    ]);
  });

  it('[P-06] of two accounts of a channel have not the same token', () => {
    const token = '7000000001:AAEtest-token_of-the-fake-0123456789abc';
    write('config.yaml', `channels:\n  telegram: {bot_token: '${token}', accounts: {b: {bot_token: '${token}'}}}\n`);
    const faults = faultsOf(() => loadSettings({}, {}, folder));
    expect(faults).toEqual([
      'channels.telegram.accounts.b.bot_token: is the same as channels.telegram.bot_token: one account is enough',
    ]);
  });

  it.each([
    ['a number of YAML', 'phone_number_id: 106540352242922'],
    ['a number that a template has rounded', "phone_number_id: '1.06540352242922e+14'"],
  ])('[P-05] say that an ID needs quotes: %s', (_, line) => {
    write('config.yaml', `channels:\n  whatsapp:\n    ${line}\n`);
    expect(faultsOf(() => loadSettings({}, {}, folder)).join()).toMatch(
      /^channels\.whatsapp\.\w+: .*quote it; allowed: text/,
    );
  });

  it('[P-05] name the variable that a wrong value came from, and a blank at its end', () => {
    write('token', 'a-token-of-sixteen-chars ');
    const faults = faultsOf(() =>
      loadSettings(
        { OPENCLAW_LOG_LEVEL: '', OPENCLAW_AUTH_TOKEN_FILE: join(folder, 'token'), OPENCLAW_CONFIG: '' },
        {},
        folder,
      ),
    ).join('\n');
    expect(faults).toMatch(/log\.level: .*\(from OPENCLAW_LOG_LEVEL\)/);
    expect(faults).toMatch(/auth\.token: .*ends with a blank.*\(from OPENCLAW_AUTH_TOKEN_FILE\)/);
    expect(faults).toContain('OPENCLAW_CONFIG: is empty');
  });

  it('[P-05] refuse the credential variable of another gateway, which would leave this one open', () => {
    const faults = faultsOf(() => loadSettings({ OPENCLAW_GATEWAY_TOKEN: 'a-token-of-sixteen-chars' }, {}, folder));
    expect(faults.join()).toBe('OPENCLAW_GATEWAY_TOKEN: is not read by this gateway; set OPENCLAW_AUTH_TOKEN');
  });

  it('[P-01] are read with a byte order mark and with YAML merge keys, and only as UTF-8', () => {
    write('.env', '\uFEFFOPENCLAW_AGENT_NAME=ada\n');
    write('config.yaml', 'queue: {max_total: 7}\n');
    expect(loadSettings({}, {}, folder).values).toMatchObject({ 'agent.name': 'ada', 'queue.max_total': 7 });
    write(
      'config.yaml',
      'providers:\n  one: &p {api: openai-completions, base_url: "http://x/v1"}\n  two: {<<: *p, images: true}\n',
    );
    expect(loadSettings({}, {}, folder).values.providers).toMatchObject({
      two: { api: 'openai-completions', images: true },
    });
    writeFileSync(join(folder, 'config.yaml'), Buffer.from('agent: {system_prompt: "\xe4"}', 'latin1'));
    expect(faultsOf(() => loadSettings({}, {}, folder)).join()).toContain('is not UTF-8 text');
  });

  it('[P-07] refuse a token that would speak under a name of the gateway', () => {
    const tokens = [
      'webchat',
      'local',
      'operator',
      'cron:daily',
      'node:phone',
      'tailscale:ada',
      'agent:main',
      'hook:x',
    ];
    for (const principal of tokens) {
      const entry = { token: 'a-token-of-sixteen-chars', principal, role: 'channel' };
      const faults = faultsOf(() => loadSettings({ OPENCLAW_AUTH_TOKENS: JSON.stringify([entry]) }, {}, folder));
      expect(faults.join()).toContain(`the principal ${principal} is reserved`);
    }
  });

  it('[P-05] refuse a host that is not an address', () => {
    for (const host of ['*', '[::1]', 'http://x'])
      expect(faultsOf(() => loadSettings({ OPENCLAW_GATEWAY_HOST: host }, {}, folder)).join()).toContain(
        'must be an IP address (without brackets) or a host name',
      );
  });

  it('[P-01] name a missing file that was requested', () => {
    expect(faultsOf(() => loadSettings({ OPENCLAW_CONFIG: 'nowhere.yaml' }, {}, folder)).join()).toContain(
      'there is no file',
    );
  });

  it.each([
    ['telemetry.traces.endpoint', 'http://['],
    ['telemetry.traces.endpoint', 'http://ann:secret@collector/'],
    ['telemetry.traces.headers', { 'x-a\r\nx-b': 'x' }],
    ['telemetry.traces.headers', { 'x-a': 'x\r\nx-b: y' }],
    ['tools.browser.cdp_url', 'ws://host:99999999/'],
    ['channels.telegram.webhook_url', 'https://ex%00ample'],
    ['channels.telegram.api_root', 'https://['],
    ['providers', { local: { base_url: 'http://[' } }],
  ])('refuse addresses and headers that no request can be sent with: %s %j', (key, value) => {
    expect(faultsOf(() => loadSettings({ NODE_ENV: 'production' }, { [key]: value }, folder))).toEqual([
      expect.stringContaining(key.split('.')[0]!) as string,
    ]);
  });

  it.each([
    ['telemetry.traces.endpoint', 'https://collector:4318/v1/traces?a=b@c'],
    ['telemetry.traces.headers', { 'X_Team.1': 'ann' }],
    ['tools.browser.cdp_url', 'ws://[::1]:9222/devtools'],
    ['channels.telegram.webhook_url', 'https://gw.example/channels/telegram/@ops'],
    ['channels.telegram.api_root', 'https://api.example:8443/bot'],
  ])('take %s %j', (key, value) => {
    expect(loadSettings({ NODE_ENV: 'production' }, { [key]: value }, folder).values[key as 'agent.name']).toEqual(
      value,
    );
  });
});
