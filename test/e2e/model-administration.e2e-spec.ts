import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLocalServers } from '../../src/agents/models/local-servers.js';
import { run } from '../../src/cli/cli.js';
import { FakeTerminal } from '../../src/testing/fake-terminal.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { ListingServer } from '../support/listing-server.js';

let server: ListingServer;
let refusing: ListingServer;
let gateway: GatewayApp;

beforeEach(async () => {
  [server, refusing] = await Promise.all([
    ListingServer.start(
      [{ id: 'small', max_model_len: 4_096 }, { id: 'big' }, { id: 'not a model' }, 7 as never],
      'Hello to you.',
    ),
    ListingServer.start([]),
  ]);
  gateway = await start('local/big');
});
afterEach(async () => {
  await gateway.close();
  server.stop();
  refusing.stop();
});

function start(model: string): Promise<GatewayApp> {
  return GatewayApp.start({
    settings: {
      ...withTokens,
      'agent.model': model,
      providers: {
        local: { api: 'openai-completions', base_url: server.url, api_key: 'sk-secret' },
        refusing: { api: 'openai-completions', base_url: refusing.url, api_key: 'sk-secret' },
        down: { api: 'openai-completions', base_url: 'http://127.0.0.1:9/v1' },
        acme: { api: 'openai-completions', base_url: server.url, tenant: 'acme' },
      },
    },
  });
}

async function call(path: string, body?: object, token: string = TOKENS.operator) {
  const response = await fetch(`${gateway.url}/admin/v1/models${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const openclaw = (...args: string[]) => openclawAs(TOKENS.operator, ...args);

async function openclawAs(token: string, ...args: string[]) {
  class Console extends FakeTerminal {
    override readonly fetch = fetch;
  }
  const terminal = new Console({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: token });
  return { code: await run(['models', ...args], terminal), out: terminal.stdout.text, err: terminal.stderr.text };
}

describe('the administration of models', () => {
  it('[R-20] lists providers with their state, models and windows, and never a key', async () => {
    const { status, body } = await call('');
    expect(status).toBe(200);
    expect(body['items']).toEqual([
      {
        name: 'local',
        api: 'openai-completions',
        base_url: server.url,
        state: 'ready',
        resting: [],
        models: [{ id: 'big' }, { id: 'small', context_window: 4_096 }],
      },
      expect.objectContaining({ name: 'refusing', state: 'ready', models: [] }),
      expect.objectContaining({ name: 'down', state: 'unreachable', fault: 'ECONNREFUSED' }),
    ]);
    const seen = (await call('', undefined, TOKENS.stranger)).body;
    expect([(seen['items'] as readonly { name: string }[]).map(({ name }) => name), seen['local_servers']]).toEqual([
      ['local', 'refusing', 'down', 'acme'],
      [],
    ]);
    expect(Array.isArray(body['local_servers'])).toBe(true);
    const known = body['known_providers'] as readonly { name: string; models: readonly { id: string }[] }[];
    expect(known.map(({ name }) => name)).toEqual(['anthropic', 'openai']);
    expect(known.every(({ models }) => models.length > 3)).toBe(true);
    expect(seen['known_providers']).toEqual([]);
    expect(JSON.stringify(body)).not.toContain('sk-secret');
    expect(server.listed[0]?.authorization).toBe('Bearer sk-secret');
  });

  it('[R-20] says what rests and why', async () => {
    await gateway.close();
    gateway = await start('refusing/m');
    const client = await gateway.connect('client', TOKENS.operator);
    client.send('message_in', { channel: 'x', sender: 'ann', content: 'hello' });
    await client.next('stream_end');
    const items = (await call('')).body['items'] as readonly object[];
    expect(items[1]).toMatchObject({ state: 'resting', resting: [{ name: 'refusing', reason: 'key refused' }] });
  });

  it('[R-21] tries a model and measures the time to its first token', async () => {
    expect(await call('/test', { provider: 'local', model: 'big' })).toEqual({
      status: 200,
      body: { ok: true, first_token_ms: expect.any(Number) as number, text: 'Hello to you.' },
    });
    expect((await call('/test', { provider: 'new', base_url: server.url, model: 'big' })).body).toMatchObject({
      ok: true,
    });
  });

  it('[R-21] says why a model does not answer, without keys', async () => {
    const { body } = await call('/test', { provider: 'refusing', model: 'm' });
    expect(body).toMatchObject({
      ok: false,
      status: 401,
      reason: expect.stringContaining('refuses the credential') as string,
    });
    expect(JSON.stringify(body)).not.toContain('sk-secret');
    expect((await call('/test', { provider: 'down', model: 'm' })).body).toMatchObject({ ok: false });
  });

  it('[R-21] sends a key of the settings to the address of the settings only', async () => {
    await call('/test', { provider: 'refusing', base_url: server.url, model: 'big' });
    expect(server.asked[0]?.authorization).not.toContain('sk-secret');
    await call('/test', { provider: 'refusing', base_url: server.url, api_key: 'sk-given', model: 'big' });
    expect(server.asked[1]?.authorization).toBe('Bearer sk-given');
  });

  it('[R-20] [R-21] shows operators of a tenant no address of a shared provider, and tries none of another tenant', async () => {
    const items = (await call('', undefined, TOKENS.stranger)).body['items'] as readonly { base_url?: string }[];
    expect(items.map(({ base_url }) => base_url)).toEqual([undefined, undefined, undefined, server.url]);
    expect((await call('/test', { provider: 'acme', model: 'big' })).status).toBe(400);
    expect(server.asked).toHaveLength(0);
  });

  it('[R-21] refuses who may not, and what is malformed', async () => {
    const asked = { provider: 'local', model: 'big' };
    expect((await call('/test', asked, TOKENS.reader)).status).toBe(403);
    expect((await call('/test', asked, TOKENS.stranger)).status).toBe(403);
    expect((await call('', undefined, TOKENS.alice)).status).toBe(403);
    for (const bad of [
      {},
      { ...asked, base_url: 'file:///etc' },
      { ...asked, extra: 1 },
      { provider: 'nowhere', model: 'm' },
    ])
      expect((await call('/test', bad)).status).toBe(400);
    expect(server.asked).toHaveLength(0);
  });
});

describe('openclaw models', () => {
  it('[R-20] prints providers and models', async () => {
    const { code, out } = await openclaw();
    expect(code).toBe(0);
    expect(out).toMatch(/^PROVIDER +STATE +MODEL +WINDOW +ADDRESS\nlocal +ready +big +- +http\S+\/v1\n +small +4096\n/);
    expect(out).toMatch(/^down +unreachable +- +- +http:\/\/127\.0\.0\.1:9\/v1$/m);
    expect(out).toMatch(/\n\ndown does not list its models: ECONNREFUSED\n/);
    expect((await openclaw('list')).code).toBe(0);
    expect(JSON.parse((await openclaw('--json')).out)).toMatchObject({ items: [{ name: 'local' }, {}, {}] });
  });

  it('[R-21] tries the configured model, or another one', async () => {
    // It reads the settings.
    expect(await openclawAs(TOKENS.owner, 'test')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Hello to you\.\nlocal\/big answers; its first token came after \d+ ms\n$/) as string,
    });
    const refused = await openclaw('test', 'refusing/m');
    expect(refused).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('refuses the credential') as string,
    });
    expect((await openclaw('test', 'nonsense')).code).toBe(2);
    expect((await openclaw('try')).code).toBe(2);
  });
});

describe('model servers on this machine', () => {
  it('[R-20] are found at their usual ports, by what they list', async () => {
    const owned = await ListingServer.start([{ id: 'qwen3:8b', owned_by: 'library' }]);
    const other = await ListingServer.start([{ name: 'no id' }]);
    try {
      const found = await findLocalServers({
        ollama: 9,
        llamacpp: owned.port,
        lmstudio: other.port,
        vllm: server.port,
      });
      expect(found.map(({ name, provider, models }) => [name, provider.base_url, models.map(({ id }) => id)])).toEqual([
        ['ollama', owned.url, ['qwen3:8b']],
      ]);
    } finally {
      owned.stop();
      other.stop();
    }
  });
});
