import { beforeAll, describe, expect, it } from 'vitest';
import type { Scope } from '../../src/protocol/index.js';
import { bearer, TOKENS, useTarget } from './target.js';

/** An operation of the OpenAPI document that the gateway under attack serves. */
interface Operation {
  readonly method: string;
  readonly path: string;
}

/** Calls about the process or all tenants. */
const WHOLE = /^\/admin\/v1\/(logs|config|drain|backup|tenants|audit\/verify)\b/;
const fill = (path: string) => path.replaceAll(/\{[^}]+\}/g, 'x');

const target = useTarget();
const json = { 'content-type': 'application/json' };
const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  target.request(path, {
    method,
    headers: { ...json, ...headers },
    // Node's client does not say how long the body of these is.
    ...(body !== undefined && !['GET', 'HEAD', 'DELETE', 'TRACE'].includes(method) && { body }),
  });
/** The settings decide on their change: each has a scope. Elsewhere the right is checked before the body. */
const bodyOf = (path: string) =>
  path === '/admin/v1/config' ? JSON.stringify({ version: 0, changes: { 'agent.name': 'x' } }) : '{}';
const isRead = (method: string) => method === 'GET' || method === 'HEAD';

/** Makes a token of the default tenant with these scopes alone. */
async function withScopes(...scopes: readonly Scope[]): Promise<string> {
  const { body } = await target
    .admin(TOKENS.operator)
    .post('tokens', { principal: `only-${scopes.join('-').replaceAll(':', '-')}`, role: 'operator', scopes });
  return String(body['token']);
}

describe('an operation of the administration', () => {
  /** Holds every scope of an operator that has nothing to do with the administration. */
  let chatOnly = '';
  beforeAll(
    async () =>
      void (chatOnly = await withScopes('messages:write', 'presence:write', 'channels:write', 'sessions:read')),
  );

  const operations: Operation[] = [];
  beforeAll(async () => {
    const { paths } = (await target.request('/openapi.json')).json() as { paths: Record<string, object> };
    const all = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => ({ method: method.toUpperCase(), path })),
    );
    operations.push(...all.filter(({ path }) => path.startsWith('/admin/v1/')));
    expect(operations.length).toBeGreaterThan(80);
  });

  it('[SE-21] is refused with too little right', async () => {
    for (const { method, path } of operations) {
      const statusOf = async (token: string) => (await send(method, fill(path), bearer(token), bodyOf(path))).status;
      // Any operator may ask whom its credential speaks for.
      const weak = path === '/admin/v1/me' ? [] : [TOKENS.reader, chatOnly];
      for (const token of [TOKENS.alice, TOKENS.driver, ...weak])
        expect([method, path, token, await statusOf(token)]).toEqual([method, path, token, 403]);
      // A trial of the bindings changes nothing.
      const isTrial = path === '/admin/v1/bindings/test';
      if (!isRead(method))
        expect([method, path, await statusOf(TOKENS.viewer)]).toEqual([method, path, isTrial ? 400 : 403]);
    }
  });

  it('[SE-21] is refused to pages of other origins, with every right', async () => {
    for (const { method, path } of operations.filter((one) => !isRead(one.method)))
      for (const origin of ['https://evil.example', 'null', `http://localhost:${target.port + 1}`])
        for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
          const headers = { ...bearer(TOKENS.owner), origin, 'content-type': type };
          expect([method, path, (await send(method, fill(path), headers, '{}')).status]).toEqual([method, path, 403]);
        }
  });

  it('[SE-21] is refused without a credential, in every method', async () => {
    // A few of them: more than 20 failures of an address are refused for that.
    for (const { method, path } of operations.filter((_, n) => n % 12 === 0))
      expect([401, 429]).toContain((await send(method, fill(path), {}, '{}')).status);
    for (const method of ['TRACE', 'PROPFIND', 'PUT'])
      expect((await send(method, '/admin/v1/config', bearer(TOKENS.alice))).status).toBeGreaterThanOrEqual(400);
  });

  it('[SE-10] about the process or all tenants is refused to an operator of one', async () => {
    // A body that fits each: its right is checked, not its form.
    const body = (path: string) => {
      if (path === '/admin/v1/config') return bodyOf(path);
      if (path.endsWith('/levels')) return '{"levels":{"gateway":"info"}}';
      return path.endsWith('/revert') ? '{"version":0}' : '{}';
    };
    for (const { method, path } of operations.filter((one) => WHOLE.test(one.path)))
      for (const token of [TOKENS.stranger, TOKENS.operator]) {
        const { status } = await send(method, fill(path), bearer(token), body(path));
        expect([method, path, status]).toEqual([method, path, 403]);
      }
    expect((await target.request('/metrics', { headers: bearer(TOKENS.stranger) })).status).toBe(403);
  });

  it('[SE-10] that names another tenant finds nothing, whatever it does', async () => {
    const named = (path: string, tenant: string) => `${fill(path)}?tenant=${tenant}`;
    for (const { method, path } of operations) {
      const found: number[] = [];
      for (const [token, tenant] of [
        [TOKENS.stranger, 'default'],
        [TOKENS.operator, 'acme'],
        [TOKENS.operator, '*'],
      ] as const)
        found.push((await send(method, named(path, tenant), bearer(token), bodyOf(path))).status);
      expect([method, path, found.filter((status) => ![400, 403, 404].includes(status))]).toEqual([method, path, []]);
    }
    for (const tenant of ['%00', 'x'.repeat(300), '__proto__', '../default', '', 'default&tenant=acme', '%0a'])
      for (const token of [TOKENS.owner, TOKENS.operator]) {
        const { status, text } = await send('GET', `/admin/v1/sessions?tenant=${tenant}`, bearer(token));
        expect([tenant, status < 500]).toEqual([tenant, true]);
        if (status === 200) expect(text).toBe('{"items":[]}');
      }
  });

  it('[SE-10] shows an operator of another tenant nothing that exists', async () => {
    const driver = await target.connect(TOKENS.driver);
    const id = driver.send('message_in', { channel: 'test', sender: 'alice', content: '/wait 60000' });
    const { session_id: session = '', payload } = await driver.answerTo(id);
    const ref = String(payload['message_ref']);
    const operator = target.admin(TOKENS.operator);
    const token = (await operator.post('tokens', { principal: 'mine', role: 'operator', scopes: ['admin:read'] })).body[
      'id'
    ];
    const job = (
      await operator.post('cron/jobs', { name: 'mine', every: '1h', message: 'hi', channel: 'test', sender: 'alice' })
    ).body['id'];
    const connection = (await operator.get('connections')).body.items?.[0]?.['connection_id'];
    const stranger = target.admin(TOKENS.stranger);
    const calls: [string, string, object?][] = [
      ['GET', `sessions/${session}`],
      ['GET', `sessions/${session}/messages`],
      ['GET', `sessions/${session}/frames`],
      ['GET', `sessions/${session}/context`],
      ['GET', `sessions/${session}/export`],
      ['PATCH', `sessions/${session}`, { mode: 'group' }],
      ['POST', `sessions/${session}/reset`],
      ['POST', `sessions/${session}/messages`, { content: 'hi' }],
      ['DELETE', `sessions/${session}`],
      ['GET', `messages/${ref}`],
      ['POST', `messages/${ref}/cancel`],
      ['POST', `messages/${ref}/retry`],
      ['DELETE', `turns/${ref}`],
      ['DELETE', `tokens/${String(token)}`],
      ['DELETE', `connections/${String(connection)}`],
      ['GET', `cron/jobs/${String(job)}`],
      ['PATCH', `cron/jobs/${String(job)}`, { message: 'x' }],
      ['POST', `cron/jobs/${String(job)}/run`],
      ['DELETE', `cron/jobs/${String(job)}`],
    ];
    for (const [method, path, body] of calls) {
      const real = await stranger.call(method, path, body);
      const made = await stranger.call(method, path.replace(/\/[^/]{8,}/, '/unknown-id'), body);
      expect([method, path, real.status, made.status]).toEqual([method, path, 404, 404]);
      expect(JSON.stringify(real.body)).not.toContain('/wait');
    }
    for (const list of [
      'sessions',
      'queue',
      'turns',
      'people',
      'approvals',
      'tokens',
      'connections',
      'cron/jobs',
      'nodes',
      'presence',
      'usage?by=tenant',
      'usage?by=sender',
    ])
      expect([list, JSON.stringify((await stranger.get(list)).body)]).toEqual([
        list,
        expect.not.stringMatching(/alice|\/wait|mine|driver/) as string,
      ]);
    // A person is whom a channel names: one of this tenant that has written nothing.
    expect(JSON.stringify((await stranger.get('people/test/alice/export')).body)).not.toContain('/wait');
    await stranger.delete('people/test/alice');
    expect((await stranger.get('tokens?tenant=default')).status).toBeGreaterThanOrEqual(400);
    expect((await operator.get(`messages/${ref}`)).status).toBe(200);
    driver.send('cancel', { message_ref: ref });
    await driver.next('stream_end');
    await driver.close();
  });
});

describe('the settings', () => {
  const readVersion = async () => Number((await target.admin().get('config')).body['version']);
  const change = async (changes: unknown, token: string = TOKENS.owner) =>
    changeFrom(await readVersion(), changes, token);
  const changeFrom = (version: unknown, changes: unknown, token: string = TOKENS.owner) =>
    target.admin(token).patch('config', { version, changes });

  it.each<[string, unknown]>([
    ['an unknown key', { 'agent.nam': 'x' }],
    ['a key of another case', { 'Agent.Name': 'x' }],
    ['a key of prototypes', JSON.parse('{"__proto__":{"a":1}}')],
    ['constructor', { constructor: 1 }],
    ['a part of a key', { agent: { name: 'x' } }],
    ['an empty key', { '': 1 }],
    ['a key of 10,000 characters', { ['k'.repeat(10_000)]: 1 }],
    ['a wrong type', { 'agent.concurrency': 'many' }],
    ['a number beyond its range', { 'agent.concurrency': -1 }],
    ['a number without end', { 'agent.concurrency': 1e308 }],
    ['a text beyond its pattern', { 'agent.name': 'a b\n' }],
    ['NUL', { 'agent.system_prompt': 'a\u0000b' }],
    ['a list in place of a value', { 'agent.name': ['x'] }],
    ['an Origin that is none', { 'gateway.allowed_origins': ['*'] }],
    ['no change', {}],
    ['a list of changes', []],
  ])('[SE-20] with %s are refused, and unchanged', async (_, changes) => {
    const before = (await target.admin().get('config')).body['version'];
    expect((await change(changes)).status).toBe(400);
    expect((await target.admin().get('config')).body['version']).toBe(before);
  });

  it('[SE-20] of a stale, future or senseless version are refused', async () => {
    const good = { 'agent.name': 'clerk' };
    const { status, body } = await change(good);
    expect(status).toBe(200);
    const version = Number(body['version']);
    for (const stale of [version - 1, version + 1, 0]) expect((await changeFrom(stale, good)).status).toBe(409);
    for (const senseless of [-1, 1.5, '1', null, 1e300, [version]])
      expect([400, 409]).toContain((await changeFrom(senseless, good)).status);
    for (const wrong of [version + 10, -1, 'x'])
      expect([400, 409]).toContain((await target.admin().post('config/revert', { version: wrong })).status);
    expect((await change({ 'agent.name': null })).status).toBe(200);
  });

  it('[SE-20] that are dangerous need their own scope', async () => {
    const { body } = await target.admin().get('config');
    const settings = body['settings'] as { key: string; scope: string; value: unknown }[];
    const scopes = new Set(settings.map(({ scope }) => scope));
    expect(scopes).toContain('config:dangerous');
    expect(scopes).toContain('tokens:write');
    const made = await target.admin().post('tokens', {
      principal: 'changer',
      role: 'operator',
      tenant: 'default',
      scopes: ['config:write', 'admin:read'],
    });
    const token = String(made.body['token']);
    for (const key of [
      'auth.tokens',
      'auth.token',
      'tools.default_permissions',
      'mcp.servers',
      'gateway.trusted_proxies',
    ])
      expect([key, (await change({ [key]: [] }, token)).status]).toEqual([key, 403]);
  });

  it('[SE-20] give no secret back: neither now, nor in history, audit, exports or errors', async () => {
    const secret = 'canary-new-secret-0123456789';
    const { status } = await change({ 'auth.token': secret });
    expect([200, 400]).toContain(status);
    const { body } = await change({ 'auth.token': `${secret} with a space` });
    expect(JSON.stringify(body)).not.toContain(secret);
    const wrong = await change({ 'auth.tokens': [{ token: secret, principal: 'x', role: 'king' }] });
    expect(JSON.stringify(wrong.body)).not.toContain(secret);
    for (const path of ['config', 'config/history', 'audit', 'tokens', 'status', 'logs'])
      expect([path, JSON.stringify((await target.admin().get(path)).body).includes('canary')]).toEqual([path, false]);
    expect((await change({ 'auth.token': null })).status).toBe(200);
  });
});

describe('the trial of a model', () => {
  it('[SE-04] repeats no key, whatever becomes of it', async () => {
    const trial = (body: object, token: string = TOKENS.owner) => target.admin(token).post('models/test', body);
    const secret = 'canary-model-key-0123456789';
    for (const base_url of [
      'http://127.0.0.1:1/v1',
      `http://127.0.0.1:${target.port}/v1`,
      'http://user:pass@127.0.0.1:1',
      'file:///etc/passwd',
      'x',
    ]) {
      const { status, body } = await trial({ provider: 'openai', base_url, api_key: secret, model: 'gpt-x' });
      expect([base_url, status < 500]).toEqual([base_url, true]);
      expect(JSON.stringify(body)).not.toContain('canary');
    }
    expect((await trial({ provider: 'openai', model: 'gpt-x' }, TOKENS.viewer)).status).toBe(403);
  });
});

describe('the audit trail', () => {
  it('[SE-14] has each change with who, what, before and after, and cannot be changed', async () => {
    const admin = target.admin();
    const before = (await admin.get('audit?limit=1')).body.items?.[0]?.['sequence'] as number;
    const version = (await admin.get('config')).body['version'];
    await admin.patch('config', { version, changes: { 'agent.name': 'scribe' } });
    await admin.patch('config', { version: Number(version) + 1, changes: { 'agent.name': null } });
    const { id } = (await target.admin(TOKENS.operator).post('tokens', { principal: 'audited', role: 'channel' })).body;
    await target.admin(TOKENS.operator).delete(`tokens/${String(id)}`);
    const rows = (await admin.get('audit?limit=20')).body.items ?? [];
    const actions = rows.map((row) => [row['actor'], row['action']]);
    expect(actions).toEqual(
      expect.arrayContaining([
        ['owner', 'settings.change'],
        ['operator', 'token.create'],
        ['operator', 'token.revoke'],
      ]),
    );
    expect(Number(rows[0]?.['sequence'] ?? 0)).not.toBeLessThan(before ?? 0);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      for (const path of ['/admin/v1/audit', '/admin/v1/audit/1', '/admin/v1/audit/export'])
        expect([404, 405]).toContain((await send(method, path, bearer(TOKENS.owner), '{}')).status);
    expect((await admin.get('audit/verify')).body).toMatchObject({ ok: true });
  });
});

describe('a stream of events', () => {
  const open = (token: string, path = 'events', headers: Record<string, string> = {}) =>
    fetch(`${target.url}/admin/v1/${path}`, { headers: { ...bearer(token), ...headers } });

  it('[SE-24] is for operators who may read, each within its tenant', async () => {
    for (const token of [TOKENS.alice, TOKENS.driver, TOKENS.reader]) {
      expect((await open(token)).status).toBe(403);
      expect((await open(token, 'logs?follow=true')).status).toBe(403);
    }
    expect((await open(TOKENS.stranger, 'logs?follow=true')).status).toBe(403);
    const stream = await open(TOKENS.stranger);
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    await target.expectService();
    const mine = await target.connect(TOKENS.stranger);
    mine.send('message_in', { channel: 'test', sender: 'of-acme', content: 'hello' });
    let text = '';
    while (!text.includes('of-acme')) text += (await reader.read()).value ?? '';
    expect(text).not.toContain('good-');
    await reader.cancel();
    await mine.close();
  });

  it.each(['0', '-1', 'x'.repeat(4_000), '1e9', '__proto__', '%00', "' OR 1=1", '6fA3kQ0pXw1z.1c'])(
    '[SE-24] with the last id %s begins again',
    async (lastId) => {
      for (const path of ['events', 'logs?follow=true']) {
        const stream = await open(TOKENS.owner, path, { 'last-event-id': lastId });
        expect(stream.status).toBe(200);
        const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
        let text = '';
        while (!/event: reset|data: /.test(text)) text += (await reader.read()).value ?? '';
        await reader.cancel();
      }
    },
  );

  it('[SE-24] that is not read costs at most its buffer', async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => open(TOKENS.owner, 'logs?follow=true')));
    const client = await target.connect(TOKENS.driver);
    for (let n = 0; n < 200; n++) {
      await client.answerTo(
        client.send('message_in', { channel: 'test', sender: `noisy-${n}`, content: 'x'.repeat(10_000) }),
      );
    }
    for (const stream of streams) await stream.body?.cancel();
    await client.close();
  });
});

describe('the metrics', () => {
  it('[SE-21] need a credential with metrics:read or admin:read', async () => {
    expect((await target.request('/metrics')).status).toBe(401);
    for (const token of [TOKENS.alice, TOKENS.driver, TOKENS.reader])
      expect((await target.request('/metrics', { headers: bearer(token) })).status).toBe(403);
    expect((await target.request('/metrics', { headers: bearer(TOKENS.owner) })).status).toBe(200);
  });

  it('[SE-12] get neither names nor lines from outside', async () => {
    const client = await target.connect(TOKENS.operator);
    for (let n = 0; n < 300; n++)
      client.send('channel_status', { channel: `made-up-${n}`, status: 'connected', detail: '"} 1\nforged_metric 1' });
    for (const channel of ['"} 1', 'a\\b', '{}'])
      await client.answerTo(client.send('message_in', { channel, sender: 's', content: '/tool forged"}_metric {}' }));
    await client.answerTo(client.send('ping'));
    const { text } = await target.request('/metrics', { headers: bearer(TOKENS.owner) });
    expect(text).not.toMatch(/^forged_metric/m);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(
      lines.filter((line) => !/^[a-z0-9_:]+(\{([a-z_]+="(\\.|[^"\\\n])*",?)*\})? [-+0-9.eInfNa]+$/.test(line)),
    ).toEqual([]);
    expect(lines.filter((line) => line.includes('made-up-')).length).toBeLessThan(100);
    await client.close();
  });
});

describe('a text from outside', () => {
  const FORGED = 'x\n{"level":"error","msg":"forged"}\r\u001b[31m\u001b]0;owned\u0007\u0085\u2028';

  it('[SE-12] forges no line of the log, whatever it comes in', async () => {
    const client = await target.connect(TOKENS.operator);
    await client.answerTo(
      client.send('message_in', { channel: 'test', sender: 's', content: FORGED, metadata: { a: FORGED } }),
    );
    await client.answerTo(client.send(`unknown${FORGED}`, {}));
    client.send('channel_status', { channel: 'test', status: 'error', detail: FORGED.replaceAll('\u0000', '') });
    await client.answerTo(client.send('ping'));
    const encoded = encodeURIComponent(FORGED);
    await send('GET', `/${encoded}`, { 'user-agent': encoded, referer: encoded });
    await send('GET', `/admin/v1/sessions/${encoded}`, bearer(TOKENS.operator));
    await send('DELETE', `/admin/v1/connections/${encoded}?reason=${encoded}`, bearer(TOKENS.operator));
    await send('GET', `/admin/v1/audit?actor=${encoded}`, bearer(TOKENS.operator));
    await send('PATCH', `/admin/v1/tools/${encoded}`, bearer(TOKENS.owner), '{"enabled":false}');
    const version = (await target.admin().get('config')).body['version'];
    await send(
      'PATCH',
      '/admin/v1/config',
      bearer(TOKENS.owner),
      JSON.stringify({ version, changes: { [FORGED]: FORGED, 'agent.name': FORGED } }),
    );
    await client.close();
    const { text } = await target.request('/admin/v1/logs?limit=200', { headers: bearer(TOKENS.owner) });
    // oxlint-disable-next-line eslint/no-control-regex -- controls are what must not be there
    expect(text).not.toMatch(/[\u0000-\u001f]/);
    expect(target.output).not.toMatch(/^\{"level":"error","msg":"forged"/m);
  });
});
