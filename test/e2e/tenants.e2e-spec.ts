import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditStore } from '../../src/core/store/index.js';
import { AdminApi } from '../support/admin-api.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

const ACME_DRIVER = 'acme-driver-token-0123456789';

let gateway: GatewayApp;
/** Operators of all tenants, of the default one and of `acme`. */
let owner: AdminApi;
let operator: AdminApi;
let stranger: AdminApi;

beforeEach(async () => {
  gateway = await GatewayApp.start({
    settings: {
      'auth.tokens': [
        ...(withTokens['auth.tokens'] as object[]),
        { token: ACME_DRIVER, principal: 'driver', role: 'channel', channels: ['test'], tenant: 'acme' },
      ],
    },
  });
  [owner, operator, stranger] = [TOKENS.owner, TOKENS.operator, TOKENS.stranger].map(
    (token) => new AdminApi(gateway, token),
  ) as [AdminApi, AdminApi, AdminApi];
});
afterEach(() => gateway.close());

/** Sends a message of alice, under the same IDs in each tenant, and resolves with its session and its ref. */
async function say(token: string, content: string) {
  const driver = await gateway.connect('c', token);
  driver.send('message_in', { channel: 'test', sender: 'alice', content }, { id: 'message-1' });
  const { payload, session_id: sessionId = '' } = await driver.next('message_ack');
  return { sessionId, ref: String(payload['message_ref']) };
}

describe('an operator of all tenants', () => {
  it('[TN-01] sees what all tenants have, or what the one has that it names', async () => {
    const ours = await say(TOKENS.driver, '/wait 60000');
    const theirs = await say(ACME_DRIVER, '/wait 60000');
    await expect.poll(async () => (await owner.get('queue')).body['running']).toBe(2);
    const tenantsOf = async (path: string) =>
      (await owner.all(path)).map(({ tenant }) => tenant).toSorted((a, b) => String(a).localeCompare(String(b)));
    for (const list of ['sessions', 'sessions?sort=last_active', 'people', 'turns', 'connections', 'presence'])
      expect([list, await tenantsOf(list)]).toEqual([list, ['acme', 'default']]);
    for (const list of ['sessions?tenant=acme', 'people?tenant=acme', 'turns?tenant=acme', 'connections?tenant=acme'])
      expect([list, await tenantsOf(list)]).toEqual([list, ['acme']]);
    expect((await owner.get('status')).body['counts']).toMatchObject({ running: 2, connections: 2 });
    expect((await owner.get('status?tenant=acme')).body['counts']).toMatchObject({ running: 1, connections: 1 });
    for (const { sessionId, ref } of [ours, theirs]) {
      expect((await owner.get(`sessions/${sessionId}`)).body).toMatchObject({ id: sessionId });
      expect((await owner.get(`messages/${ref}`)).body).toMatchObject({ message_ref: ref });
    }
    expect((await owner.get(`sessions/${ours.sessionId}?tenant=acme`)).status).toBe(404);
    expect((await owner.post(`messages/${theirs.ref}/cancel`)).status).toBe(204);
    await expect.poll(async () => (await owner.get('queue')).body['running']).toBe(1);
  });

  it('[TN-02] acts in the tenant of what it changes, and makes things in the default one unless it names another', async () => {
    const { sessionId } = await say(ACME_DRIVER, 'hello');
    expect((await owner.post(`sessions/${sessionId}/messages`, { content: 'and this' })).status).toBe(200);
    expect((await owner.post(`sessions/${sessionId}/reset`)).status).toBe(204);
    const called = await owner.post('tools/session.info/call', { parameters: {}, session_id: sessionId });
    expect([called.status, called.body['ok']]).toEqual([200, true]);
    const job = {
      name: 'news',
      schedule: { cron: '0 8 * * *' },
      message: 'News?',
      target: { channel: 'test', sender: 'alice' },
    };
    const made = await owner.post('cron/jobs?tenant=acme', job);
    expect(made.body).toMatchObject({ tenant: 'acme' });
    expect((await owner.post('cron/jobs', job)).body).toMatchObject({ tenant: 'default' });
    expect(await stranger.all('cron/jobs')).toMatchObject([{ tenant: 'acme' }]);
    expect(await owner.all('cron/jobs')).toHaveLength(2);
    expect((await owner.delete(`cron/jobs/${String(made.body['job_id'])}`)).status).toBe(204);
    const rows = await gateway.app
      .get(AuditStore, { strict: false })
      .listAudit({ actor: 'owner', order: 'oldest', limit: 9 });
    expect(rows.map(({ tenant, action }) => `${tenant} ${action}`)).toEqual([
      ...['* auth.success', 'acme session.update', 'acme tool.call', 'acme cron.add', 'default cron.add'],
      'acme cron.remove',
    ]);
  });

  it('[TN-03] speaks in the default tenant on a WebSocket, or in the one of its query', async () => {
    const { sessionId } = await say(ACME_DRIVER, 'hello');
    const [byDefault, named] = [
      await gateway.connect('d', TOKENS.owner),
      await gateway.connect('n', TOKENS.owner, '&tenant=acme'),
    ];
    byDefault.send('history', { limit: 10 }, { id: 'h', session_id: sessionId });
    expect((await byDefault.next('error')).payload).toMatchObject({ code: 'NOT_FOUND' });
    named.send('history', { limit: 10 }, { id: 'h', session_id: sessionId });
    expect((await named.next('history')).session_id).toBe(sessionId);
  });
});

it('[TN-04] other credentials see no tenant but their own, whatever they name', async () => {
  for (const [api, foreign] of [
    [operator, 'acme'],
    [stranger, 'default'],
  ] as const)
    for (const path of ['sessions', 'queue', 'status', 'agents', 'tokens', 'audit', 'me'])
      expect([path, (await api.get(`${path}?tenant=${foreign}`)).status]).toEqual([path, 404]);
  expect((await stranger.get('sessions?tenant=acme')).status).toBe(200);
  expect((await stranger.get('sessions?tenant=*')).status).toBe(400);
  for (const token of [TOKENS.operator, TOKENS.driver, TOKENS.alice])
    await expect(gateway.connect('c', token, '&tenant=acme')).rejects.toThrow('404');
});

it('[TN-13] the first setting that names another tenant needs a credential of tenant *', async () => {
  await gateway.close();
  const [all, own] = (withTokens['auth.tokens'] as { tenant?: string }[]).slice(0, 2);
  gateway = await GatewayApp.start({ settings: { 'auth.tokens': [all, own] } });
  const change = (api: AdminApi) =>
    api.patch('config', { version: 0, changes: { agents: { ops: { description: 'Runs machines', tenant: 'acme' } } } });
  const refused = await change(new AdminApi(gateway, TOKENS.operator));
  expect([refused.status, refused.body['detail']]).toEqual([
    403,
    expect.stringContaining('the first setting that names another tenant') as string,
  ]);
  expect((await new AdminApi(gateway, TOKENS.operator).get('config')).status).toBe(200);
  expect((await change(new AdminApi(gateway, TOKENS.owner))).status).toBe(200);
  expect((await new AdminApi(gateway, TOKENS.operator).get('config')).status).toBe(403);
});

it('[TN-01] models are shown with the providers of all tenants, or of the one that is named', async () => {
  await gateway.close();
  const provider = { api: 'openai-completions', base_url: 'http://127.0.0.1:9/v1' };
  gateway = await GatewayApp.start({
    settings: { ...withTokens, providers: { ours: provider, theirs: { ...provider, tenant: 'acme' } } },
  });
  const namesOf = async (token: string, query = '') =>
    (await new AdminApi(gateway, token).get(`models${query}`)).body.items?.map(({ name }) => name);
  expect(await namesOf(TOKENS.owner)).toEqual(['ours', 'theirs']);
  expect(await namesOf(TOKENS.owner, '?tenant=default')).toEqual(['ours']);
  expect(await namesOf(TOKENS.operator)).toEqual(['ours']);
});

interface ProcessWideCall {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

it('[I-61] what belongs to the process is for operators of all tenants alone', async () => {
  const { requests } = JSON.parse(readFileSync('test/inputs/enterprise/E14-process-wide-calls.json', 'utf8')) as {
    readonly requests: readonly ProcessWideCall[];
  };
  const ask = async ({ method, path, body }: ProcessWideCall, token: string) => {
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const isProblem = response.headers.get('content-type')?.includes('problem+json') === true;
    const { code, detail = '' } = isProblem ? ((await response.json()) as { code?: string; detail?: string }) : {};
    if (!isProblem) await response.body?.cancel();
    return { status: response.status, code, isForAll: detail.includes('it needs a credential whose tenant is "*"') };
  };
  for (const call of requests)
    expect([call.path, await ask(call, TOKENS.stranger)]).toEqual([
      call.path,
      { status: 403, code: 'FORBIDDEN', isForAll: true },
    ]);
  // A drain ends the gateway.
  const isDrain = ({ path }: ProcessWideCall) => path.endsWith('/drain');
  for (const call of requests.toSorted((a, b) => Number(isDrain(a)) - Number(isDrain(b))))
    expect([call.path, (await ask(call, TOKENS.owner)).isForAll]).toEqual([call.path, false]);
});
