import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
beforeEach(
  async () => void (gateway = await GatewayApp.start({ settings: { 'auth.tokens': withTokens['auth.tokens'] } })),
);
afterEach(() => gateway.close());

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function request(token: string | undefined, init: RequestInit = {}): Promise<Answer> {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(init.headers as Record<string, string> | undefined),
  };
  const response = await fetch(`${gateway.url}/admin/v1/config`, { ...init, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const change = (body: unknown, type = 'application/json', token: string = TOKENS.owner) =>
  request(token, {
    method: 'PATCH',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('/admin/v1/config', () => {
  it('[P-09] changes settings at run time, with immediate effect', async () => {
    const driver = await gateway.connect('d', TOKENS.driver);
    expect(await change({ version: 0, changes: { 'agent.name': 'ada' } })).toEqual({
      status: 200,
      body: { version: 1, needs_restart: [] },
    });
    driver.send('message_in', { channel: 'test', sender: 'ann', content: 'hi @ada', group_id: 'g' }, { id: 'm' });
    expect((await driver.answerTo('m')).payload).toMatchObject({ status: 'queued', priority: 10 });
    const { body } = await request(TOKENS.owner);
    expect(body['version']).toBe(1);
    expect(body['settings']).toContainEqual(
      expect.objectContaining({ key: 'agent.name', value: 'ada', source: 'run time', needs_restart: false }),
    );
  });

  it('[P-10] refuses a stale version with 409', async () => {
    await change({ version: 0, changes: { 'agent.name': 'ada' } });
    expect(await change({ version: 0, changes: { 'agent.name': 'bob' } })).toMatchObject({
      status: 409,
      body: {
        code: 'STALE_VERSION',
        details: { version: 1 },
        detail: expect.stringContaining('read them again') as string,
      },
    });
  });

  it('[P-11] refuses wrong values, unknown keys and settings of other versions by name, and changes nothing', async () => {
    const answer = await change({
      version: 0,
      changes: { 'agent.name': 'ada', 'queue.max_total': -1, 'agent.nam': 'x', 'auth.jwt': {} },
    });
    expect(answer.status).toBe(400);
    const pointers = (answer.body['details'] as { faults: { pointer: string }[] }).faults.map((fault) => fault.pointer);
    expect(pointers).toEqual(['/changes/queue.max_total', '/changes/agent.nam', '/changes/auth.jwt']);
    expect((await request(TOKENS.owner)).body['version']).toBe(0);
  });

  it('[P-11] accepts only JSON of the documented form', async () => {
    expect((await change('version=0', 'application/x-www-form-urlencoded')).status).toBe(400);
    expect((await change('{', 'application/json')).status).toBe(400);
    expect((await change({ version: 0, changes: {}, extra: 1 })).status).toBe(400);
    expect((await change({ changes: { 'agent.name': 'ada' } })).status).toBe(400);
  });

  it('[P-12] says which changes need a restart', async () => {
    const answer = await change({ version: 0, changes: { 'gateway.heartbeat_interval_ms': 5_000 } });
    expect(answer.body).toEqual({ version: 1, needs_restart: ['gateway.heartbeat_interval_ms'] });
  });

  it('[P-24] takes 10,000 bindings at once, and the next message goes by them', async () => {
    const bindings = Array.from({ length: 10_000 }, (_, i) => ({ agent: 'ops', channel: 'test', group_id: `g${i}` }));
    expect(await change({ version: 0, changes: { agents: { ops: {} }, bindings } })).toEqual({
      status: 200,
      body: { version: 1, needs_restart: [] },
    });
    const driver = await gateway.connect('d', TOKENS.driver);
    driver.send('message_in', { channel: 'test', sender: 'ann', content: '@ops hi', group_id: 'g9999' }, { id: 'm' });
    expect((await driver.answerTo('m')).payload).toMatchObject({ status: 'queued', agent: 'ops' });
  });

  it('[P-24] names the limit that a change exceeds', async () => {
    const large = { version: 0, changes: { bindings: [{ agent: 'main', channel: 'x'.repeat(4_194_304) }] } };
    expect(await change(large)).toMatchObject({
      status: 413,
      body: { detail: expect.stringContaining('larger than 4194304 bytes') as string },
    });
    expect((await change('['.repeat(40))).status).toBe(400);
    const many = { version: 0, changes: { bindings: Array.from({ length: 100_001 }, () => ({ agent: 'a' })) } };
    expect(JSON.stringify((await change(many)).body)).toContain('bindings must not have more than 100000 items');
    expect((await request(TOKENS.owner)).body['version']).toBe(0);
  });

  it('[P-24] reads no body of a request without a credential', async () => {
    const body = JSON.stringify({ version: 0, changes: { bindings: [{ agent: 'x'.repeat(1_000_000) }] } });
    expect((await change(body, 'application/json', 'not-a-token-of-anyone-0123')).status).toBe(401);
  });

  it('[P-14] never shows a secret', async () => {
    const text = JSON.stringify((await request(TOKENS.owner)).body);
    for (const token of Object.values(TOKENS)) expect(text).not.toContain(token);
    expect(text).toContain('"***"');
  });

  it('[P-15] is for operators with the right scope only', async () => {
    const body = { version: 0, changes: { 'agent.name': 'ada' } };
    expect((await request(undefined)).status).toBe(401);
    for (const token of [TOKENS.alice, TOKENS.driver])
      expect((await change(body, 'application/json', token)).status).toBe(403);
    expect(await change(body, 'application/json', TOKENS.reader)).toMatchObject({
      status: 403,
      body: { details: { missing_scope: 'config:write' } },
    });
  });

  it('[P-15] is not for operators of one tenant among several', async () => {
    const body = { version: 0, changes: { 'agent.name': 'ada' } };
    for (const token of [TOKENS.stranger, TOKENS.operator]) {
      expect((await request(token)).status).toBe(403);
      expect((await change(body, 'application/json', token)).status).toBe(403);
    }
  });

  it('[X-04] refuses a cross-site request', async () => {
    const answer = await request(TOKENS.owner, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
      body: JSON.stringify({ version: 0, changes: { 'agent.name': 'ada' } }),
    });
    expect(answer.status).toBe(403);
  });
});
