import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { GatewayModule } from '../../src/gateway.module.js';
import { createHttpAdapter } from '../../src/http/index.js';
import { composeSettings, loadSettings } from '../../src/settings.js';
import { KeptLogs } from '../../src/testing/kept-logs.js';
import { GatewayWsAdapter } from '../../src/websocket/gateway-ws.adapter.js';
import { GatewayApp } from '../support/gateway-app.js';

const OPERATOR = 'operator-token-0123456789';

let folder: string;
let url: string;
const open: { close(): Promise<void> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  url = `sqlite:${join(folder, 'gateway.db')}`;
});
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.close();
  rmSync(folder, { recursive: true });
});

const rows = composeSettings().rows.filter(({ schema }) => !schema['x-later']);
const changeable = rows.filter(({ schema }) => schema['x-start-only'] === undefined);

/** Another valid value for each setting that is not a number, a switch or an enumeration. */
const OTHER_VALUES: Readonly<Record<string, unknown>> = {
  'gateway.host': '127.0.0.2',
  tenants: { default: { quotas: { turns: 4 } } },
  'quotas.timezone': 'Europe/Oslo',
  prices: { 'openai/gpt-4.1': { input: 2, output: 8 } },
  'cron.timezone': 'Europe/Oslo',
  'gateway.allowed_origins': ['https://chat.example.com'],
  'gateway.allowed_hosts': ['chat.example.com'],
  'gateway.trusted_proxies': ['10.0.0.0/8'],
  'gateway.public_url': 'https://chat.example.com',
  'gateway.tailscale_bin': '/nonexistent/tailscale',
  'gateway.tailscale_port': 8_443,
  'gateway.tailscale_socket': '/nonexistent/tailscaled.sock',
  'gateway.tailscale_listen': '/nonexistent/tailscale.sock',
  'auth.tokens': [{ token: 'user-token-0123456789abc', principal: 'ada', role: 'user' }],
  'auth.token': OPERATOR,
  'auth.jwt': {
    issuer: 'https://idp.example',
    audience: 'gateway',
    jwks_url: 'http://127.0.0.1:9/keys',
    claims: { roles: { users: { role: 'user' } } },
  },
  'auth.jwt_issuers': [
    {
      issuer: 'https://other.example',
      audience: 'gateway',
      jwks_url: 'http://127.0.0.1:9/keys',
      claims: { prefix: 'other:', roles: { users: { role: 'user' } } },
    },
  ],
  'auth.oidc': {
    issuer: 'http://127.0.0.1:9/idp',
    client_id: 'gateway',
    claims: { prefix: 'page:', roles: { users: { role: 'user' } } },
  },
  'auth.tailscale_users': { 'ann@example.com': 'user' },
  'agent.name': 'ada',
  'agent.model': 'house/small',
  'agent.fallbacks': ['house/large'],
  'agent.allowed_models': ['house/*'],
  'agent.max_output_tokens': 4_096,
  'agent.system_prompt': 'Be brief.',
  agents: { ops: { name: 'olga' } },
  bindings: [{ agent: 'ops', channel: 'telegram' }],
  providers: { house: { api: 'openai-completions', base_url: 'http://127.0.0.1:9/v1' } },
  channels: { telegram: { busy_policy: 'collect' } },
  'channels.telegram.allow_from': ['42'],
  'channels.telegram.groups': ['-100'],
  'channels.telegram.bot_token': '1:not-a-token',
  'channels.telegram.api_root': 'http://127.0.0.1:9',
  'channels.telegram.webhook_url': 'https://bots.example.com/channels/telegram/default',
  'channels.telegram.accounts': { second: { bot_token: '2:not-a-token', api_root: 'http://127.0.0.1:9' } },
  'channels.discord.allow_from': ['42'],
  'channels.discord.groups': ['43'],
  'channels.discord.bot_token': 'not-a-token-of-discord',
  'channels.discord.api_root': 'http://127.0.0.1:9',
  'channels.discord.accounts': {
    second: { bot_token: 'another-bad-token-of-discord', api_root: 'http://127.0.0.1:9' },
  },
  'channels.slack.allow_from': ['U0ANN0001'],
  'channels.slack.groups': ['C0TEAM001'],
  'channels.slack.bot_token': 'xoxb-not-a-token',
  'channels.slack.app_token': 'xapp-not-a-token',
  'channels.slack.signing_secret': '0123456789abcdef0123456789abcdef',
  'channels.slack.api_root': 'http://127.0.0.1:9',
  'channels.slack.accounts': {
    second: { bot_token: 'xoxb-not-another', app_token: 'xapp-not-another', api_root: 'http://127.0.0.1:9' },
  },
  'channels.whatsapp.allow_from': ['42'],
  'channels.whatsapp.groups': ['43'],
  'channels.whatsapp.access_token': 'not-a-token',
  'channels.whatsapp.phone_number_id': '1065403522',
  'channels.whatsapp.app_secret': 'not-a-secret',
  'channels.whatsapp.verify_token': 'not-a-token',
  'channels.whatsapp.api_root': 'http://127.0.0.1:9',
  'channels.whatsapp.accounts': {
    second: {
      access_token: 'not-a-token',
      phone_number_id: '1065403523',
      app_secret: 'not-a-secret',
      verify_token: 'not-a-token',
      api_root: 'http://127.0.0.1:9',
    },
  },
  'webchat.starters': ['What can you do?'],
  'store.session_ttl_hours': 200,
  'tools.disabled': ['time.now'],
  'tools.default_permissions': ['http'],
  'tools.approvals': ['time.now'],
  'tools.sandbox.image': 'debian:stable',
  'tools.sandbox.workspaces': 'elsewhere/workspaces',
  'tools.browser.executable': '/usr/bin/another-chromium',
  'tools.browser.cdp_url': 'http://127.0.0.1:9',
  'tools.browser.args': ['--mute-audio'],
  'tools.browser.allow_hosts': ['intranet'],
  'tools.http.allow_hosts': ['intranet'],
  'mcp.servers': { house: { url: 'http://127.0.0.1:9/mcp' } },
  'media.folder': 'elsewhere/media',
  'media.types': ['image/png'],
};

function findOtherValue({ key, schema }: (typeof rows)[number]): unknown {
  if (key in OTHER_VALUES) return OTHER_VALUES[key];
  if (schema.enum) return schema.enum.find((value) => value !== schema.default);
  if (schema.type === 'boolean') return schema.default !== true;
  if (schema.type === 'integer' || schema.type === 'number') {
    const value = schema.default as number;
    return value < (schema.maximum ?? Infinity) ? value + 1 : value - 1;
  }
  throw new Error(`${key} needs another value in this test`);
}

const changes = Object.fromEntries(changeable.map((row) => [row.key, findOtherValue(row)]));

/** The gateway as the command starts it, without a port. */
async function boot(logs = new KeptLogs()) {
  const settings = loadSettings({ NODE_ENV: 'production', OPENCLAW_STORE_URL: url }, {}, folder);
  const app = await NestFactory.create(GatewayModule.forRoot({ logs, settings }), createHttpAdapter(), {
    logger: false,
    abortOnError: false,
  });
  app.useWebSocketAdapter(new GatewayWsAdapter(app));
  await app.init();
  open.push(app);
  return { app, logs, config: app.get(ConfigStoreService) };
}

describe('a change at run time', () => {
  it('[P-19] is in force when the answer says so, for every setting of the schema', async () => {
    const first = await boot();
    const outcome = await first.config.change(0, changes, 'op');
    const restarts = changeable.filter(({ schema }) => schema['x-restart']).map(({ key }) => key);
    expect(outcome).toMatchObject({ kind: 'changed' });
    expect(outcome.kind === 'changed' ? [...outcome.needsRestart].sort() : []).toEqual(restarts.sort());
    for (const { key, schema } of changeable) {
      const expected: unknown = schema['x-restart'] ? schema.default : changes[key];
      expect([key, first.config.get(key as never)]).toEqual([key, expected]);
    }
    await open.pop()?.close();

    const second = await boot();
    for (const { key } of changeable) expect([key, second.config.get(key as never)]).toEqual([key, changes[key]]);
    // A part that reads a setting too early would go on with the value of the file.
    expect(second.logs.lines.filter((line) => line.includes('was read before'))).toEqual([]);
  });

  it('[P-19] to a credential ends open mode with the next start', async () => {
    const first = await boot();
    await first.config.change(0, { 'auth.token': OPERATOR }, 'op');
    await open.pop()?.close();
    const gateway = await GatewayApp.start({ settings: { 'store.url': url } });
    open.push(gateway);
    const read = async (token?: string) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(`${gateway.url}/admin/v1/config`, { headers })).status;
    };
    expect([await read(), await read(OPERATOR)]).toEqual([401, 200]);
  });
});

describe('the scope that a setting names', () => {
  const scoped = (...scopes: string[]) => ({ role: 'operator', scopes: ['admin:read', ...scopes] });
  const TOKENS = {
    ordinary: 'ordinary-token-0123456789',
    dangerous: 'dangerous-token-012345678',
    keeper: 'keeper-token-0123456789ab',
  };
  let gateway: GatewayApp;
  beforeEach(async () => {
    gateway = await GatewayApp.start({
      logs: new SilentLogs(),
      settings: {
        'auth.tokens': [
          { token: TOKENS.ordinary, principal: 'ordinary', ...scoped('config:write') },
          { token: TOKENS.dangerous, principal: 'dangerous', ...scoped('config:write', 'config:dangerous') },
          { token: TOKENS.keeper, principal: 'keeper', ...scoped('tokens:write', 'messages:write') },
        ],
      },
    });
    open.push(gateway);
  });
  const change = async (token: string, wanted: Readonly<Record<string, unknown>>) => {
    const response = await fetch(`${gateway.url}/admin/v1/config`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ version: gateway.app.get(ConfigStoreService).version, changes: wanted }),
    });
    const { detail, details } = (await response.json()) as {
      detail?: string;
      details?: { missing_scope?: string };
    };
    return { status: response.status, detail, missing: details?.missing_scope };
  };

  it('[P-20] keeps config:write from programs, credentials, permissions and addresses', async () => {
    const guarded: string[] = [];
    for (const { key, schema } of changeable) {
      const outcome = await change(TOKENS.ordinary, { [key]: changes[key] });
      // A map also needs the scope of what it holds: here the token of a bot.
      const holdsToken = /^channels\.\w+\.accounts$/.test(key);
      const scope = holdsToken ? 'tokens:write' : (schema['x-scope'] ?? 'config:write');
      expect([key, outcome.missing]).toEqual([key, scope === 'config:write' ? undefined : scope]);
      if (scope !== 'config:write') guarded.push(key);
    }
    expect(guarded).toEqual(expect.arrayContaining(['mcp.servers', 'providers', 'auth.tokens', 'auth.token']));
    expect(guarded).toEqual(expect.arrayContaining(['tools.default_permissions', 'gateway.trusted_proxies']));
    expect(guarded.filter((key) => key.startsWith('tools.sandbox.'))).toHaveLength(9);
  });

  it('[P-20] keeps config:write from agents with other permissions or tools', async () => {
    const make = (wanted: Readonly<Record<string, unknown>>) => change(TOKENS.dangerous, wanted);
    expect(
      (await make({ agents: { main: { tools: { deny: ['http.*'] } }, ops: { permissions: ['shell'] } } })).status,
    ).toBe(200);
    for (const wanted of [
      { bindings: [{ agent: 'ops', principal: 'ordinary' }] },
      { 'agents.evil': { default: true } },
      { 'agents.ops.default': true },
      { 'agents.evil.name': 'eve' },
    ])
      expect(await change(TOKENS.ordinary, wanted)).toMatchObject({ status: 403, missing: 'config:dangerous' });
    expect((await change(TOKENS.ordinary, { 'agents.ops.name': 'olga' })).status).toBe(200);
    expect((await make({ bindings: [{ agent: 'ops', principal: 'ordinary' }] })).status).toBe(200);
  });

  it('[P-20] answers a value of another type with its fault', async () => {
    for (const wanted of [
      { agents: 5 },
      { 'agents.ops': 'x' },
      { bindings: 'x' },
      { bindings: [{ agent: 'ops', x: 1 }] },
    ])
      expect((await change(TOKENS.ordinary, wanted)).status).toBe(400);
  });

  it('[P-20] lets its holder change the setting', async () => {
    expect(await change(TOKENS.dangerous, { 'tools.default_permissions': ['http'] })).toMatchObject({ status: 200 });
  });

  it('[P-20] refuses a credential with more rights than its maker has', async () => {
    const token = 'new-token-0123456789abcdef';
    const own = gateway.app.get(ConfigStoreService).get('auth.tokens');
    const add = (entry: object) =>
      change(TOKENS.keeper, { 'auth.tokens': [...own, { token, principal: 'new', ...entry }] });
    expect(await add(scoped('config:write'))).toMatchObject({
      status: 403,
      detail: expect.stringContaining('config:write') as string,
    });
    expect((await add({ role: 'operator' })).status).toBe(403);
    expect((await change(TOKENS.keeper, { 'auth.token': token })).status).toBe(403);
    expect((await add(scoped('messages:write'))).status).toBe(200);
  });
});
