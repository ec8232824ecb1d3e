import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SettingsStore } from '../../src/core/store/index.js';
import { buildOpenApi } from '../../src/http/documents/openapi.js';
import { run } from '../../src/cli/cli.js';
import { FakeTerminal } from '../../src/testing/index.js';
import { AdminApi } from '../support/admin-api.js';
import { GatewayApp, TOKENS } from '../support/gateway-app.js';

const PROVIDER = { api: 'openai-completions', base_url: 'http://127.0.0.1:9/' };
const REAL = { ...PROVIDER, api_key: 'sk-real-1', headers: { 'x-team': 'real-2' } };

let gateway: GatewayApp;
let admin: AdminApi;
beforeEach(async () => {
  const settings = {
    'auth.tokens': [
      { token: TOKENS.operator, principal: 'operator', role: 'operator' },
      { token: TOKENS.reader, principal: 'reader', role: 'operator', scopes: ['admin:read', 'admin:write'] },
    ],
  };
  gateway = await GatewayApp.start({ settings });
  admin = new AdminApi(gateway);
});
afterEach(() => gateway.close());

const versionOf = async () => Number((await admin.get('config')).body['version']);
const change = async (changes: object) => admin.patch('config', { version: await versionOf(), changes });
const stored = async () => (await gateway.app.get(SettingsStore, { strict: false }).readSettings()).values;

async function command(...args: string[]) {
  const terminal = new FakeTerminal({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: TOKENS.operator });
  const code = await run(args, { ...terminal, fetch, stdout: terminal.stdout, stderr: terminal.stderr } as never);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

describe('the changes of settings', () => {
  it('[AD-27] are listed, newest first and without secrets, and a revert brings back a version with its secrets', async () => {
    expect((await change({ providers: { p1: REAL }, 'agent.name': 'ada' })).status).toBe(200);
    await change({ 'agent.name': 'eve' });
    await change({ 'providers.p1.api_key': 'sk-other-2', 'agent.name': null });
    const { items } = (await admin.get('config/history')).body;
    expect(items).toMatchObject(
      [
        { version: 3, actor: 'operator', before: { 'agent.name': '"eve"' }, after: { 'agent.name': null } },
        { version: 2, before: { 'agent.name': 'ada' }, after: { 'agent.name': 'eve' } },
        { version: 1, before: { providers: null }, after: { 'agent.name': 'ada' } },
      ].map((row) => JSON.parse(JSON.stringify(row).replaceAll('"\\"eve\\""', '"eve"')) as object),
    );
    expect(JSON.stringify(items)).not.toContain('sk-');
    expect((await admin.all('config/history?limit=1')).map(({ version }) => version)).toEqual([3, 2, 1]);
    expect((await admin.post('config/revert', { version: 1 })).body).toMatchObject({ version: 4 });
    const values = await stored();
    expect(JSON.parse(values['agent.name'] ?? '')).toBe('ada');
    expect(JSON.stringify(values)).toContain('sk-real-1');
    expect(JSON.stringify(values)).not.toContain('sk-other-2');
    expect(await admin.post('config/revert', { version: 99 })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('There was never a version 99 of the settings: the newest is 4') },
    });
    expect((await new AdminApi(gateway, TOKENS.reader).post('config/revert', { version: 1 })).status).toBe(403);
  });

  it('[AD-28] never take the text that is shown in place of a secret', async () => {
    await change({ providers: { p1: REAL } });
    const masked = await change({
      providers: { p1: { ...PROVIDER, api_key: '***', headers: { 'x-team': '***' } } },
    });
    expect([masked.status, masked.type]).toEqual([400, 'application/problem+json']);
    expect(masked.body).toMatchObject({
      code: 'INVALID_PAYLOAD',
      faults: [{ pointer: '/changes/providers/p1/api_key' }, { pointer: '/changes/providers/p1/headers/x-team' }],
    });
    const tokens = [
      { token: '***', principal: 'one', role: 'operator' },
      { token: '***', principal: 'two', role: 'operator' },
    ];
    expect((await change({ 'auth.tokens': tokens })).body).toMatchObject({
      faults: [{ pointer: '/changes/auth.tokens/0/token' }, { pointer: '/changes/auth.tokens/1/token' }],
    });
    expect((await change({ 'providers.p1.api_key': '***' })).body).toMatchObject({
      faults: [{ pointer: '/changes/providers.p1.api_key' }],
    });
    expect((await change({ 'agent.system_prompt': '***' })).status).toBe(200);
    expect(
      JSON.stringify(Object.entries(await stored()).filter(([key]) => key !== 'agent.system_prompt')),
    ).not.toContain('***');
    expect(JSON.stringify(await stored())).toContain('sk-real-1');
  });
});

describe('the documented call of a tool', () => {
  it('[AD-40] works as the guide, the help and the examples of the API have it', async () => {
    const texts = [readFileSync('docs/guides/administration.md', 'utf8'), (await command('tools', '--help')).out];
    for (const text of texts) {
      const [, name = '', parameters = ''] = /tools call (\S+) '([^']+)'/.exec(text) ?? [];
      const { code, out, err } = await command('tools', 'call', name, parameters);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain('Europe/Paris');
    }
    const { components } = (await buildOpenApi(gateway.app)) as unknown as OpenApi;
    const { parameters } = components.schemas['CallToolDto']!.properties;
    const { body } = await admin.post('tools/time.now/call', { parameters: parameters!.example });
    expect(body).toMatchObject({ ok: true, content: { local: expect.stringContaining('Europe/Paris') as string } });
  });
});

interface OpenApi {
  readonly components: {
    readonly schemas: Record<string, { readonly properties: Record<string, { readonly example: object }> }>;
  };
}

describe('approvals', () => {
  it('[AD-29] are listed by state, and decided on for the arguments that were shown', async () => {
    expect((await command('tools', 'ask', 'session.info')).out).toMatch(/session\.info +yes +needed/);
    const client = await gateway.connect('c', TOKENS.operator);
    client.send('message_in', { channel: 'webchat', sender: 'ann', content: '/tool session.info' });
    const asked = await client.next((frame) => frame.payload['status'] === 'awaiting_approval');
    const { items } = (await admin.get('approvals')).body;
    const [item] = items ?? [];
    expect(item).toMatchObject({
      tool: 'session.info',
      session_id: asked.session_id,
      channel: 'webchat',
      sender: 'ann',
    });
    const id = String(item?.['approval_id']);
    const wrong = { decision: 'allow', arguments_sha256: 'a'.repeat(64) };
    expect((await admin.post(`approvals/${id}`, wrong)).status).toBe(403);
    const decision = { decision: 'allow', arguments_sha256: item?.['arguments_sha256'] };
    expect((await command('approvals')).out).toContain(id);
    const allowed = await command('approvals', 'allow', id, String(decision.arguments_sha256));
    expect([allowed.code, allowed.out]).toEqual([0, `${id} allowed\n`]);
    await client.next('stream_end');
    expect((await admin.get('approvals')).body).toEqual({ items: [] });
    expect((await admin.get('approvals?state=allowed')).body.items).toMatchObject([
      { approval_id: id, decision: 'allow', decided_by: 'operator' },
    ]);
    expect((await admin.get('approvals?state=denied')).body).toEqual({ items: [] });
    expect((await admin.post('approvals/a_none', decision)).status).toBe(404);
    expect((await admin.get('approvals?state=open')).status).toBe(400);
  });
});

describe('tools', () => {
  it('[AD-30] are listed in pages, disabled, and set to need approvals', async () => {
    const all = await admin.all('tools?limit=3');
    const names = all.map(({ name }) => String(name));
    expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
    const off = await admin.patch('tools/time.now', { enabled: false, needs_approval: true });
    expect(off.body).toMatchObject({ name: 'time.now', enabled: false, needs_approval: true });
    expect((await admin.patch('tools/time.now', { enabled: true })).body).toMatchObject({
      enabled: true,
      needs_approval: true,
    });
    expect((await admin.patch('tools/none', { enabled: true })).status).toBe(404);
    expect((await admin.patch('tools/time.now', { enabled: null })).body).toMatchObject({
      faults: [{ pointer: '/enabled' }],
    });
    const weak = new AdminApi(gateway, TOKENS.reader);
    expect((await weak.patch('tools/time.now', { enabled: false })).status).toBe(403);
  });
});
