import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { FakeTerminal } from '../../src/testing/index.js';
import { AdminApi } from '../support/admin-api.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { ModelServer } from '../support/model-server.js';

const MODEL = 'local/test-model';
const USED = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };

let server: ModelServer;
let gateway: GatewayApp;
let owner: AdminApi;

beforeEach(async () => {
  server = await ModelServer.start();
});
afterEach(async () => {
  await gateway.close();
  await server.stop();
});

async function start(settings: object = {}): Promise<void> {
  gateway = await GatewayApp.start({
    settings: {
      ...withTokens,
      'agent.model': MODEL,
      'agent.max_output_tokens': 50,
      providers: { local: server.provider('openai-completions') },
      prices: { [MODEL]: { input: 1_000, output: 10_000 } },
      ...settings,
    },
  });
  owner = new AdminApi(gateway, TOKENS.owner);
}

let sent = 0;
/** Sends a message and resolves with the payload of its end, or of its error. */
async function ask(token: string, sender = 'alice', channel = 'test'): Promise<Readonly<Record<string, unknown>>> {
  server.answer({ response: { content: 'Hi.', usage: USED } });
  const client = await gateway.connect(`c${++sent}`, token);
  const id = client.send('message_in', { channel, sender, content: 'hello' }, { id: `message-${sent}` });
  const frame = await client.next(({ type, payload, correlation_id: of }) =>
    type === 'error' ? of === id : type === 'stream_end' && payload['id'] === id,
  );
  return frame.payload;
}

async function command(...args: string[]) {
  const terminal = new FakeTerminal({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: TOKENS.owner });
  const code = await run(args, { ...terminal, fetch, stdout: terminal.stdout, stderr: terminal.stderr } as never);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

describe('the usage', () => {
  it('[TN-10] is shown by tenant, sender, agent and model, of the own tenant alone', async () => {
    await start();
    await ask(TOKENS.driver, 'alice');
    await ask(TOKENS.driver, 'bob');
    await ask(TOKENS.stranger, 'carol');
    const two = { answers: 2, input_tokens: 200, output_tokens: 40, cost: 0.6 };
    const one = { answers: 1, input_tokens: 100, output_tokens: 20, cost: 0.3 };
    expect((await owner.get('usage')).body.items).toMatchObject([
      { tenant: 'acme', ...one },
      { tenant: 'default', ...two },
    ]);
    expect((await owner.get('usage?by=model&tenant=acme')).body.items).toMatchObject([{ model: MODEL, ...one }]);
    const stranger = new AdminApi(gateway, TOKENS.stranger);
    expect((await stranger.get('usage?by=agent')).body.items).toMatchObject([{ tenant: 'acme', agent: 'main' }]);
    expect((await stranger.get('usage?by=tenant')).body.items).toHaveLength(1);
    expect(await owner.all('usage?by=sender&limit=1')).toMatchObject([
      { tenant: 'acme', sender: 'carol' },
      { tenant: 'default', channel: 'test', sender: 'alice', ...one },
      { sender: 'bob' },
    ]);
    expect((await owner.get(`usage?from=0&to=900000`)).body.items).toEqual([]);
    for (const query of ['by=day', 'from=2&to=1', 'from=yesterday', 'limit=0'])
      expect([query, (await owner.get(`usage?${query}`)).status]).toEqual([query, 400]);
    const { code, out } = await command('usage', '--by', 'sender', '--tenant', 'acme');
    expect([code, out]).toEqual([0, expect.stringMatching(/acme +test carol +1 +100 +0 +20 +0\.3000/) as string]);
  });
});

describe('the quotas of a tenant', () => {
  it('[TN-09] refuse messages when they are used up, with a warning', async () => {
    await start({ tenants: { acme: { quotas: { tokens_per_day: 120 } } } });
    expect(await ask(TOKENS.stranger)).toMatchObject({ reason: 'stop' });
    expect(await ask(TOKENS.stranger)).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      retryable: false,
      details: { quota: 'tokens_per_day', resets_at: expect.any(Number) as number },
    });
    expect(await ask(TOKENS.driver)).toMatchObject({ reason: 'stop' });
    const warningsOf = async (token: string) =>
      ((await new AdminApi(gateway, token).get('status')).body['warnings'] as { code: string; sentence: string }[]).map(
        ({ code, sentence }) => `${code}: ${sentence.split(':')[0]}`,
      );
    const reached = 'QUOTA_REACHED: The quota tokens_per_day of tenant acme is used up';
    expect(await warningsOf(TOKENS.stranger)).toEqual([reached]);
    expect(await warningsOf(TOKENS.owner)).toContain(reached);
    expect(await warningsOf(TOKENS.operator)).toEqual([]);
  });

  it('[TN-09] let messages wait while running turns hold back what is left, and answer all of them', async () => {
    const quotas = { tokens_per_day: 2_000 };
    await start({ tenants: { acme: { quotas } }, 'agent.max_output_tokens': 900, 'agent.concurrency': 8 });
    const senders = Array.from({ length: 12 }, (_, i) => `sender-${i}`);
    const ends = await Promise.all(senders.map((sender) => ask(TOKENS.stranger, sender)));
    expect(ends.map(({ reason }) => reason)).toEqual(senders.map(() => 'stop'));
    expect((await owner.get('tenants')).body.items).toMatchObject([{ used: { tokens_per_day: 12 * 120 } }, {}]);
  });

  it('[TN-09] end a turn that is taken up while nothing is left', async () => {
    await start({ tenants: { acme: { quotas: { cost_per_day: 0.1, turns: 1 } } }, 'agent.concurrency': 8 });
    // Both are accepted before the first one has used anything.
    const ends = await Promise.all([ask(TOKENS.stranger, 'alice'), ask(TOKENS.stranger, 'bob')]);
    expect(new Set(ends.map(({ reason }) => reason))).toEqual(new Set(['error', 'stop']));
    expect(ends.find(({ reason }) => reason === 'error')).toMatchObject({
      error: {
        code: 'QUOTA_EXCEEDED',
        message: expect.stringMatching(/^The quota cost_per_day is used up until /) as string,
      },
    });
  });

  it('[TN-11] are listed and changed by operators of all tenants', async () => {
    await start();
    const quotas = { messages_per_day: 5, turns: 2 };
    const changed = await owner.patch('tenants/acme', { quotas, limits: { messages_per_minute: 60 } });
    expect([changed.status, changed.body]).toEqual([
      200,
      expect.objectContaining({
        name: 'acme',
        quotas,
        limits: { messages_per_minute: 60 },
        used: { messages_per_day: 0 },
      }),
    ]);
    await ask(TOKENS.stranger);
    expect((await owner.get('tenants')).body.items).toMatchObject([
      { name: 'acme', quotas, used: { messages_per_day: 1 } },
      { name: 'default', quotas: {}, used: {} },
    ]);
    expect(
      (await owner.patch('tenants/acme', { limits: { messages_per_minute: null }, quotas: { turns: null } })).body,
    ).toMatchObject({ limits: {}, quotas: { messages_per_day: 5 } });
    const refused = await owner.patch('tenants/acme', { quotas: { turns: 0, wrong: 1 } });
    expect([refused.status, refused.body['code']]).toEqual([400, 'INVALID_PAYLOAD']);
    expect((await owner.patch('tenants/acme', { quotas: { turns: -1 } })).body).toMatchObject({
      faults: [{ pointer: '/quotas/turns' }],
    });
    for (const token of [TOKENS.operator, TOKENS.stranger]) {
      const api = new AdminApi(gateway, token);
      expect((await api.get('tenants')).status).toBe(403);
      expect((await api.patch('tenants/acme', { quotas: {} })).status).toBe(403);
    }
    const set = await command('tenants', 'set', 'acme', 'quotas.turns=4', 'quotas.messages_per_day=none');
    expect([set.code, set.out]).toEqual([0, expect.stringContaining('turns 4') as string]);
    expect((await command('tenants')).out).toMatch(/acme +turns 4 +-/);
  });

  it('[TN-11] are shown with what was used before they were set', async () => {
    await start();
    for (let i = 0; i < 3; i++) await ask(TOKENS.stranger);
    const { body } = await owner.patch('tenants/acme', { quotas: { messages_per_day: 20, tokens_per_day: 9_000 } });
    expect(body['used']).toEqual({ messages_per_day: 3, tokens_per_day: 360 });
  });

  it('[TN-16] are for tenants with names of one form, in every place that takes one', async () => {
    await start();
    for (const name of ['__proto__', "'; drop table x;--", '../config', 'A B', '-x', '*', 'x'.repeat(65)]) {
      const tenant = encodeURIComponent(name);
      const refusal = { status: 400, body: { code: 'INVALID_PAYLOAD' } };
      const token = { principal: 'ci', role: 'operator', tenant: name };
      expect(await owner.patch(`tenants/${tenant}`, { quotas: { turns: 3 } })).toMatchObject(refusal);
      expect(await owner.get(`sessions?tenant=${tenant}`)).toMatchObject(refusal);
      expect(await owner.post('tokens', token)).toMatchObject(refusal);
    }
    const { version } = (await owner.get('config')).body;
    for (const changes of [{ 'tenants.__proto__': {} }, { tenants: JSON.parse('{"__proto__":{}}') as object }])
      expect(await owner.patch('config', { version, changes })).toMatchObject({
        status: 400,
        body: { code: 'INVALID_PAYLOAD' },
      });
    for (const name of ['constructor', 'acme.eu_1-x'])
      expect((await owner.patch(`tenants/${name}`, { quotas: { turns: 3 } })).body).toMatchObject({
        name,
        limits: {},
        quotas: { turns: 3 },
      });
  });

  it('[TN-11] of another tenant cannot be set by an operator who would see that tenant no more', async () => {
    await start({ 'auth.tokens': [{ token: TOKENS.operator, principal: 'operator', role: 'operator' }] });
    const operator = new AdminApi(gateway, TOKENS.operator);
    expect((await operator.patch('tenants/default', { quotas: { turns: 3 } })).status).toBe(200);
    expect((await operator.patch('tenants/acme', { quotas: { turns: 3 } })).status).toBe(403);
    expect((await operator.get('tenants')).status).toBe(200);
  });
});
