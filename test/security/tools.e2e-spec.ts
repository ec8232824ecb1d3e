import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FrameClient } from '../support/frame-client.js';
import { aCommand, TestNode } from '../support/test-node.js';
import { bearer, TOKENS, useTarget } from './target.js';

/** A server of this machine that no tool may reach, and one that leads there. */
let inner: Server;
let redirector: Server;
let visits = 0;
const portOf = (server: Server) => (server.address() as AddressInfo).port;

const target = useTarget({
  expectedErrors: /a fault of a handler|circular structure/,
  prepare: async () => {
    inner = createServer((_request, response) => {
      visits++;
      response.end('an internal page');
    }).listen(0, '127.0.0.1');
    await once(inner, 'listening');
    redirector = createServer(({ url = '' }, response) => {
      const to = new URL(url, 'http://x').searchParams.get('to') ?? '';
      response.writeHead(302, { location: to }).end();
    }).listen(0, '127.0.0.1');
    await once(redirector, 'listening');
    return {
      tools: {
        default_permissions: ['http', 'node', 'node:lamp'],
        http: { allow_hosts: [`127.0.0.1:${portOf(redirector)}`] },
      },
    };
  },
});
afterAll(() => [inner, redirector].forEach((server) => server.close()));

let driver: FrameClient;
beforeAll(async () => void (driver = await target.connect()));
afterAll(() => driver.close());

/** Makes the built-in agent call a tool. Resolves with the result of the call at the end of the turn. */
async function call(tool: string, parameters: unknown = {}, sender = 'alice') {
  const text = typeof parameters === 'string' ? parameters : JSON.stringify(parameters);
  const content = `/tool ${tool} ${text}`;
  const { payload: ack } = await driver.answerTo(driver.send('message_in', { channel: 'test', sender, content }));
  const of = (frame: { payload: Record<string, unknown> }) => frame.payload['message_ref'] === ack['message_ref'];
  let result: Record<string, unknown> = {};
  for (;;) {
    const frame = await driver.next(of);
    if (frame.payload['block_type'] === 'tool_result') result = JSON.parse(String(frame.payload['content'])) as never;
    if (frame.type !== 'stream_end') continue;
    return { ...result, text: JSON.stringify(result), end: frame.payload['reason'] };
  }
}

describe('a plugin', () => {
  const names = [
    ...['throws', 'rejects', 'throws_nothing', 'throws_late', 'circular', 'getter', 'to_json', 'bigint', 'symbol'],
    ...['function', 'nothing', 'deep', 'large', 'many', 'nul', 'prototype'],
  ];

  it.each(names)('[SE-19] whose tool %s harms no turn but its own call', async (name) => {
    const { end, text } = await call(`attack.${name}`);
    expect(end).toBe('stop');
    expect(text.length).toBeLessThan(400_000);
    expect(text).not.toMatch(/hostile\.module|node_modules|node:internal/);
  });

  it('[SE-19] harms no call of an operator either', async () => {
    for (const name of names) {
      const { status, body } = await target.admin(TOKENS.operator).post(`tools/attack.${name}/call`, {});
      expect([name, status]).toEqual([name, 200]);
      expect(JSON.stringify(body).length).toBeLessThan(400_000);
      expect(JSON.stringify(body)).not.toMatch(/hostile\.module|node_modules|node:internal/);
    }
  });

  it('[SE-18] is called by an operator with tools:call, in sessions of its tenant, with what they permit', async () => {
    const post = (token: string, tool: string, body: object = {}) =>
      target.admin(token).post(`tools/${tool}/call`, body);
    for (const token of [TOKENS.alice, TOKENS.driver, TOKENS.viewer, TOKENS.reader])
      expect((await post(token, 'time.now')).status).toBe(403);
    const { session_id } = await driver.answerTo(
      driver.send('message_in', { channel: 'test', sender: 'called', content: 'hello' }),
    );
    expect((await post(TOKENS.stranger, 'time.now', { session_id })).status).toBe(404);
    expect((await post(TOKENS.operator, 'time.now', { session_id })).status).toBe(200);
    for (const [tool, body] of [
      ['attack.permitted', {}],
      ['attack.guarded', { parameters: { amount: 1 } }],
      ['attack.guarded', { parameters: { amount: 1e9 }, session_id }],
      ['Time.now', {}],
      ['__proto__', {}],
      ['time.now%00', {}],
    ] as const) {
      const { status, body: answer } = await post(TOKENS.operator, tool, body);
      expect([tool, status >= 400 || answer['ok'] === false]).toEqual([tool, true]);
      expect(JSON.stringify(answer)).not.toMatch(/paid|canary/);
    }
  });

  it.each(['throws', 'rejects', 'circular'])(
    '[SE-19] whose route or handler of frames %s gets an error id, and the caller no cause',
    async (name) => {
      const { status, text } = await target.request(`/attack/${name}`, { headers: bearer(TOKENS.owner) });
      expect([status, text]).toEqual([500, expect.stringContaining('"error_id"') as string]);
      const { type, payload } = await driver.answerTo(driver.send(`attack.${name}`));
      expect([type, payload['code']]).toEqual(['error', 'INTERNAL']);
      expect(text + JSON.stringify(payload)).not.toMatch(/a fault|circular|node_modules|hostile/);
    },
  );

  it('[SE-19] whose tool ignores its abort signal is left after its time limit', async () => {
    expect(await call('attack.deaf')).toMatchObject({ ok: false, status: 'timed_out', end: 'stop' });
  });

  it('[SE-19] whose tool hangs holds up no other session, and ends with a cancel', async () => {
    const turns = Array.from({ length: 10 }, (_, n) => call('attack.deaf', {}, `hanging-${n}`));
    await target.expectService();
    for (const turn of turns) expect(await turn).toMatchObject({ status: 'timed_out' });
  });
});

describe('the name of a tool', () => {
  it.each([
    ...[
      'Attack.throws',
      'ATTACK.THROWS',
      'attack_throws',
      'attack/throws',
      'attack:throws',
      'attack.throws.',
      'attack..throws',
    ],
    ...[
      'аttack.throws',
      'attack.throws\u200b',
      'ａttack.throws',
      'throws',
      '*',
      'attack.*',
      'time',
      'TIME.NOW',
      'time.Now',
    ],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'x'.repeat(1_000), '../time.now', 'time.now%00'],
  ])('[SE-19] %s is that of no tool', async (name) => {
    const result = await call(name);
    expect(result.text).toContain('TOOL_NOT_FOUND');
    expect(result.end).toBe('stop');
  });

  it('[SE-19] of a tool without its permission is denied, and its result is not seen', async () => {
    const { text } = await call('attack.permitted');
    expect(text).toContain('TOOL_DENIED');
  });

  it('[SE-19] of a tool that is disabled is denied, until it is enabled', async () => {
    const admin = target.admin();
    expect((await admin.patch('tools/time.now', { enabled: false })).status).toBe(200);
    expect((await call('time.now')).text).toContain('TOOL_DENIED');
    expect((await admin.patch('tools/time.now', { enabled: true })).status).toBe(200);
    expect(await call('time.now')).toMatchObject({ ok: true });
  });
});

describe('the parameters of a call', () => {
  it.each<[string, unknown]>([
    ['that are missing', {}],
    ['of another type', { amount: '1' }],
    ['beyond the range', { amount: 1e308 }],
    ['with a fraction', { amount: 1.5 }],
    ['that are a list', []],
    ['that are null', null],
    ['that are a text', '"amount"'],
    ['with more than is declared', { amount: 1, isAdmin: true }],
    ['with __proto__', '{"amount":1,"__proto__":{"amount":2}}'],
    ['with an inherited name', '{"constructor":{"amount":1}}'],
  ])('[SE-19] %s are refused before anything runs', async (_, parameters) => {
    const { text, end } = await call('attack.guarded', parameters);
    expect(text).not.toContain('paid');
    expect(end).toBe('stop');
    expect((await target.admin(TOKENS.operator).get('approvals?state=pending')).body.items).toEqual([]);
  });
});

describe('an approval', () => {
  it('[SE-08] is for the exact arguments, by who may decide, once', async () => {
    const content = '/tool attack.guarded {"amount": 5}';
    const { session_id } = await driver.answerTo(
      driver.send('message_in', { channel: 'test', sender: 'bob', content }),
    );
    const { payload } = await driver.next((frame) => frame.payload['status'] === 'awaiting_approval');
    const { approval_id, arguments_sha256 } = payload['approval'] as Record<string, string>;
    const decide = async (token: string, changes: object = {}) => {
      const client = await target.connect(token);
      const id = client.send('approval', { approval_id, decision: 'allow', arguments_sha256, ...changes });
      const { payload: answer } = await client.next(
        (frame) => frame.correlation_id === id || (frame.type === 'tool_status' && frame.session_id === session_id),
      );
      await client.close();
      return answer['code'] ?? answer['status'];
    };
    const wrong = 'a'.repeat(64);
    expect(await decide(TOKENS.operator, { arguments_sha256: wrong })).toBe('FORBIDDEN');
    expect(await decide(TOKENS.operator, { arguments_sha256: arguments_sha256!.toUpperCase() })).toMatch(
      /FORBIDDEN|INVALID_PAYLOAD/,
    );
    expect(await decide(TOKENS.operator, { decision: 'ALLOW' })).toBe('INVALID_PAYLOAD');
    expect(await decide(TOKENS.operator, { approval_id: `${approval_id}x` })).toBe('NOT_FOUND');
    expect(await decide(TOKENS.driver)).toBe('FORBIDDEN');
    expect(await decide(TOKENS.reader)).toBe('FORBIDDEN');
    expect(await decide(TOKENS.alice)).toBe('NOT_FOUND');
    expect(await decide(TOKENS.stranger)).toBe('NOT_FOUND');
    const post = (token: string, hash = arguments_sha256) =>
      target.admin(token).post(`approvals/${approval_id}`, { decision: 'allow', arguments_sha256: hash });
    expect((await post(TOKENS.viewer)).status).toBe(403);
    expect((await post(TOKENS.stranger)).status).toBe(404);
    expect((await post(TOKENS.operator, wrong)).status).toBe(403);
    expect((await target.admin(TOKENS.operator).get('approvals?state=pending')).body.items).toHaveLength(1);
    expect((await post(TOKENS.operator)).status).toBeLessThan(300);
    const result = await driver.next((frame) => frame.payload['block_type'] === 'tool_result');
    expect(result.payload['content']).toContain('"paid":5');
    expect((await post(TOKENS.operator)).status).toBeLessThan(300);
    expect(
      (await target.admin(TOKENS.operator).post(`approvals/${approval_id}`, { decision: 'deny', arguments_sha256 }))
        .status,
    ).toBe(403);
  });
});

describe('http.fetch', () => {
  const forms = (port: number) => [
    `http://127.0.0.1:${port}/`,
    `http://localhost:${port}/`,
    `http://LOCALHOST.:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://[::ffff:7f00:1]:${port}/`,
    `http://[::]:${port}/`,
    `http://0.0.0.0:${port}/`,
    `http://0:${port}/`,
    `http://127.1:${port}/`,
    `http://2130706433:${port}/`,
    `http://0x7f000001:${port}/`,
    `http://0177.0.0.1:${port}/`,
    `http://127.0.0.1.:${port}/`,
    `http://①②⑦.⓪.⓪.①:${port}/`,
    `http://user:pass@127.0.0.1:${port}/`,
    `http://example.com@127.0.0.1:${port}/`,
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://metadata.google.internal/',
    'http://10.0.0.1/',
    'http://192.168.0.1/',
    'http://172.16.0.1/',
    'http://100.64.0.1/',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[fe80::1]/',
    'http://[fc00::1]/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'gopher://127.0.0.1:25/',
    'data:text/plain,x',
    'javascript:1',
    `//127.0.0.1:${port}/`,
  ];

  it('[SE-07] reaches nothing of this machine or its networks, however the address is written', async () => {
    for (const url of forms(portOf(inner))) {
      const { text } = await call('http.fetch', { url });
      expect([url, text.includes('"ok":false')]).toEqual([url, true]);
    }
    expect(visits).toBe(0);
  });

  it('[SE-07] follows no redirect to there, from a host that is allowed', async () => {
    const at = (to: string) => `http://127.0.0.1:${portOf(redirector)}/?to=${encodeURIComponent(to)}`;
    for (const to of [
      `http://127.0.0.1:${portOf(inner)}/`,
      `//localhost:${portOf(inner)}/`,
      'http://169.254.169.254/',
      'file:///etc/passwd',
    ]) {
      const { text } = await call('http.fetch', { url: at(to) });
      expect([to, text.includes('"ok":false')]).toEqual([to, true]);
    }
    const loop = `http://127.0.0.1:${portOf(redirector)}/?to=`;
    expect((await call('http.fetch', { url: loop })).text).toContain('"ok":false');
    expect(visits).toBe(0);
  });
});

describe('the commands of a device', () => {
  let node: TestNode;
  let line: FrameClient;
  beforeAll(async () => {
    const { body } = await target.admin(TOKENS.operator).post('nodes/pairings', { name: 'Lamp', allow: ['*'] });
    node = new TestNode(target.port);
    await node.pair(String(body['code']));
    line = await node.connect();
  });
  afterAll(() => line.close());

  const deep = (levels: number): object =>
    levels === 0 ? {} : { type: 'object', properties: { a: deep(levels - 1) } };
  const evilPattern = { type: 'object', properties: { n: { type: 'string', pattern: '^(a+)+$' } } };

  it.each<[string, unknown]>([
    ['deeper than 20 levels', deep(30)],
    ['thousands of levels deep', JSON.parse('{"not":'.repeat(25) + '{}' + '}'.repeat(25))],
    ['larger than 64 KB', { type: 'object', description: 'x'.repeat(70_000) }],
    ['with a reference elsewhere', { $ref: 'http://169.254.169.254/schema.json' }],
    ['with a reference to a file', { $ref: 'file:///etc/passwd' }],
    ['with a dynamic reference', { $dynamicRef: '#a' }],
    ['that is a list', []],
    ['that is a text', 'object'],
  ])('[SE-09] with a schema %s are not offered', async (_, parameters) => {
    const { type, payload } = await node.register(line, [aCommand('bad', { parameters })]);
    expect(
      type === 'error' || !JSON.stringify(payload['accepted'] ?? payload['tools'] ?? []).includes('node.lamp.bad'),
    ).toBe(true);
    expect((await call('node.lamp.bad', { n: 'x' })).text).toMatch(/TOOL_NOT_FOUND|TOOL_FAILED/);
  });

  it('[SE-09] with a pattern that never ends do not block the gateway', async () => {
    await node.register(line, [aCommand('slow', { parameters: evilPattern })]);
    const started = call('node.lamp.slow', { n: `${'a'.repeat(50)}!` });
    await target.expectService();
    const asked = line
      .next('tool_call')
      .then(({ payload }) => line.send('tool_result', { call_id: payload['call_id'], ok: true, content: 'done' }));
    await Promise.race([asked, started]);
    expect((await started).end).toBe('stop');
  });

  it('[SE-09] take no name of another tool, and no name that is none', async () => {
    for (const name of ['', 'a b', '../x', 'a\nb', 'x'.repeat(300), '\u0000', 'node.other.x']) {
      const { type, payload } = await node.register(line, [aCommand(name)]);
      const answer = JSON.stringify(payload);
      expect([name, type === 'error' || !/"(?:accepted|tools)":\["/.test(answer)]).toEqual([name, true]);
    }
    await node.register(line, [aCommand('time.now')]);
    expect(await call('time.now')).toMatchObject({ ok: true });
  });
});

describe('MCP', () => {
  const post = (body: unknown, token: string = TOKENS.operator) =>
    target.request('/mcp', {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const toolCall = (name: string, args: unknown = {}) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: args },
  });

  it('[SE-18] needs an operator with tools:call', async () => {
    for (const token of [TOKENS.alice, TOKENS.driver, TOKENS.reader, TOKENS.viewer])
      expect((await post(toolCall('time.now'), token)).status).toBe(403);
    expect((await post(toolCall('time.now'))).text).toContain('"result"');
  });

  it('[SE-19] calls nothing that needs an approval, a permission or another name', async () => {
    for (const name of ['attack.guarded', 'attack.permitted', 'nothing', '__proto__', 'TIME.NOW']) {
      const { status, text } = await post(toolCall(name, { amount: 1 }));
      expect([name, status, /"isError":true|"error"/.test(text)]).toEqual([name, 200, true]);
      expect(text).not.toContain('paid');
    }
  });

  it('[SE-17] takes junk for the fault of the caller', async () => {
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '{"jsonrpc":"1.0"}',
      JSON.stringify([[[]]]),
      JSON.stringify({ jsonrpc: '2.0', id: {}, method: 1 }),
    ]) {
      const { status } = await post(body);
      expect([body, status < 500]).toEqual([body, true]);
    }
  });
});
