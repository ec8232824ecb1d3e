import { connect } from 'node:net';
import { Body, Controller, Get, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuthService, Caller, HttpAuthGuard, RequireRole, RequireScope } from '../../src/auth/index.js';
import type { Principal } from '../../src/core/identity/principal.js';
import { GatewayError } from '../../src/protocol/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { FrameClient } from '../support/frame-client.js';
import { httpRequest } from '../support/http-request.js';
import { RawSocket, upgradeLines } from '../support/raw-socket.js';
import { RecordingLogs } from '../support/recording-logs.js';
import { startTransport, type TransportApp } from '../support/transport-app.js';

const OPERATOR = 'token-of-the-operator';
const READER = 'token-of-a-mere-reader';
const USER = 'token-of-some-user';
const tokens = [
  { token: OPERATOR, principal: 'olga', role: 'operator' },
  { token: READER, principal: 'rita', role: 'operator', scopes: ['sessions:read'] },
  { token: USER, principal: 'ulf', role: 'user' },
];
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

@Controller()
class DeskController {
  constructor(private readonly auth: AuthService) {}

  @Get('health/live')
  live(): object {
    return { status: 'ok' };
  }

  @Get('whoami')
  async whoAmI(@Req() request: IncomingMessage): Promise<object> {
    return { principal: (await this.auth.find(request))?.principal ?? null };
  }

  @Get('fail')
  fail(): void {
    throw new Error('a secret cause');
  }

  @Get('limited')
  limited(): void {
    throw new GatewayError('RATE_LIMITED', { limit: 'a limit' }, { retryAfterMs: 1_500 });
  }

  @HttpCode(200)
  @Post('echo')
  echo(@Body() body: object | undefined): object {
    return { body: body ?? null };
  }
}

@Controller('admin')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
class AdminController {
  @RequireScope('admin:read')
  @Get('things')
  things(@Caller() caller: Principal): object {
    return { caller: caller.principal };
  }
}

const controllers = [DeskController, AdminController];

async function expectGoodService(port: number, token?: string): Promise<void> {
  const client = await FrameClient.open(port, '', token === undefined ? {} : { headers: bearer(token) });
  const id = client.send('message_in', { channel: 'test', sender: 'alice', content: 'still there?' });
  expect((await client.answerTo(id)).payload).toEqual({ content: 'still there?' });
  await client.close();
}

describe('without a credential configured', () => {
  let gateway: TransportApp;
  beforeAll(async () => void (gateway = await startTransport({ controllers, clock: new ManualClock() })));
  afterAll(() => gateway.close());
  afterEach(() => expectGoodService(gateway.port));

  const endOf = async (headers: Record<string, string>) => {
    const client = await FrameClient.open(gateway.port, '', { headers });
    const first = await Promise.race([client.ended, client.next('acme.connected')]);
    client.socket.terminate();
    return first;
  };
  const OPEN = { payload: { role: 'operator' } };
  const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };
  const who = async (headers: Record<string, string> = {}) =>
    (await httpRequest(gateway.port, '/whoami', { headers })).json()['principal'];

  it('[X-07] a program of this machine is the operator `local`, over WebSocket and HTTP, whatever token it shows', async () => {
    expect(await endOf({})).toMatchObject(OPEN);
    expect(await endOf(bearer('a-token-of-yesterday'))).toMatchObject(OPEN);
    expect(await who()).toBe('local');
    expect((await httpRequest(gateway.port, '/admin/things')).json()).toEqual({ caller: 'local' });
  });

  it.each([
    ['Forwarded', 'for=127.0.0.1'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-For', ''],
    ['X-Forwarded-Host', '127.0.0.1'],
    ['x-forwarded-proto', 'http'],
    ['X-Real-IP', '127.0.0.1'],
    ['Tailscale-User-Login', 'ada@example.com'],
  ])("[X-09] a request that was forwarded (%s: %s) is a stranger's: loopback is not trust", async (name, value) => {
    expect(await endOf({ [name]: value })).toEqual(UNAUTHORIZED);
    expect(await who({ [name]: value })).toBeNull();
  });

  it("[X-07] a page of this machine on the gateway's port is let in; over HTTP a foreign one is a stranger", async () => {
    const { port } = gateway;
    for (const host of ['localhost', '127.0.0.1', '[::1]'])
      expect(await endOf({ origin: `http://${host}:${port}` })).toMatchObject(OPEN);
    expect(await who({ origin: `http://localhost:${port}` })).toBe('local');
    for (const origin of ['http://evil.example', 'null', `http://localhost:${port + 1}`])
      expect(await who({ origin })).toBeNull();
  });
});

describe('Origin and Host', () => {
  let gateway: TransportApp;
  const settings = {
    'gateway.allowed_origins': ['https://chat.example', 'http://LAN.example:8080'],
    'gateway.allowed_hosts': ['gateway.example', 'only.example:8443'],
  };
  beforeAll(async () => void (gateway = await startTransport({ controllers, settings })));
  afterAll(() => gateway.close());
  afterEach(() => expectGoodService(gateway.port));

  const upgrade = async (overrides: Record<string, string>) => {
    const raw = await RawSocket.connect(gateway.port);
    raw.sendLines(upgradeLines(gateway.port, '/', overrides));
    const { status } = await raw.readHead();
    raw.destroy();
    return status;
  };

  it('[X-04] an Origin that is not on the list is 403 before any upgrade, look-alikes too', async () => {
    const { port } = gateway;
    const foreign = [
      'http://evil.example',
      'null',
      '',
      'file://',
      `https://localhost:${port}`,
      'http://localhost',
      `http://localhost:${port + 1}`,
      `http://localhost:${port}0`,
      `http://localhost:${port}/`,
      `http://localhost:${port}.evil.example`,
      `http://localhost.evil.example:${port}`,
      `http://evil-localhost:${port}`,
      `http://user@localhost:${port}`,
      `HTTP://LOCALHOST:${port}`,
      `http://127.0.0.1.evil.example:${port}`,
      `http://127.1:${port}`,
      `http://0.0.0.0:${port}`,
      'https://chat.example.evil.example',
      'https://evil-chat.example',
      'http://chat.example',
      'https://chat.example:8443',
      'https://CHAT.example',
      `http://localhost:${port}, http://evil.example`,
    ];
    for (const origin of foreign) expect([origin, await upgrade({ Origin: origin })]).toEqual([origin, 403]);
  });

  it('[X-04] an Origin on the list is let in', async () => {
    const { port } = gateway;
    const allowed = [
      `http://localhost:${port}`,
      `http://127.0.0.1:${port}`,
      `http://[::1]:${port}`,
      'https://chat.example',
      'http://lan.example:8080',
    ];
    for (const origin of allowed) expect([origin, await upgrade({ Origin: origin })]).toEqual([origin, 101]);
  });

  it('[X-05] a Host that is not on the list is 421, for upgrades and plain HTTP: a name that points here is not ours', async () => {
    const { port } = gateway;
    const foreign = [
      `evil.example:${port}`,
      'rebind.evil.example',
      `localhost.evil.example:${port}`,
      `127.0.0.1.evil.example`,
      `localhost.:${port}`,
      '0.0.0.0',
      `10.0.0.1:${port}`,
      '[::]',
      '2130706433',
      '0x7f.1',
      '127.1',
      'gateway.example.evil.example',
      'only.example',
      'only.example:8444',
    ];
    for (const host of foreign) {
      expect([host, await upgrade({ Host: host })]).toEqual([host, 421]);
      expect([host, (await httpRequest(port, '/whoami', { headers: { host } })).status]).toEqual([host, 421]);
    }
  });

  it('[X-05] a malformed Host is 400', async () => {
    for (const host of ['user@localhost', 'a b', 'localhost:port', 'localhost:123456', '[::1', 'localhost/', '']) {
      expect([host, await upgrade({ Host: host })]).toEqual([host, 400]);
    }
  });

  it('[X-05] a Host on the list is let in, in any case and with any port', async () => {
    for (const host of [
      'localhost',
      'LocalHost:1',
      '127.0.0.1',
      '127.9.9.9',
      '[::1]:18789',
      'Gateway.Example:443',
      'only.example:8443',
    ]) {
      expect([host, await upgrade({ Host: host })]).toEqual([host, 101]);
    }
  });

  it('[X-06] the probes answer to any Host', async () => {
    expect((await httpRequest(gateway.port, '/health/live', { headers: { host: '10.1.2.3:18789' } })).status).toBe(200);
    expect((await httpRequest(gateway.port, '/health/live?x', { headers: { host: 'anything' } })).status).toBe(200);
    expect((await httpRequest(gateway.port, '/health/live/more', { headers: { host: 'anything' } })).status).toBe(421);
  });

  it('[X-04] a foreign page cannot change anything: every method but GET and HEAD is 403, with or without a body', async () => {
    const { port } = gateway;
    const foreign = { origin: 'https://evil.example' };
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
      expect([method, (await httpRequest(port, '/echo', { method, headers: foreign })).status]).toEqual([method, 403]);
    }
    const simple = { ...foreign, 'content-type': 'text/plain' };
    expect((await httpRequest(port, '/echo', { method: 'POST', headers: simple, body: '{"a":1}' })).status).toBe(403);
    expect((await httpRequest(port, '/health/live', { headers: foreign })).status).toBe(200);
    const own = { origin: `http://localhost:${port}`, 'content-type': 'application/json' };
    expect((await httpRequest(port, '/echo', { method: 'POST', headers: own, body: '{"a":1}' })).json()).toEqual({
      body: { a: 1 },
    });
  });

  it('[X-05] bound to more than loopback, an IP literal is a good Host and a foreign name is none', async () => {
    const wide = await startTransport({ settings: { 'gateway.host': '0.0.0.0', 'auth.token': OPERATOR }, controllers });
    const statusOf = async (host: string) => (await httpRequest(wide.port, '/whoami', { headers: { host } })).status;
    expect(await statusOf('10.1.2.3:18789')).toBe(200);
    expect(await statusOf('[2001:db8::1]')).toBe(200);
    expect(await statusOf('evil.example')).toBe(421);
    await expectGoodService(wide.port, OPERATOR);
    await wide.close();
  });
});

describe('credentials', () => {
  let gateway: TransportApp;
  const logs = new RecordingLogs();
  const clock = new ManualClock();
  beforeAll(
    async () =>
      void (gateway = await startTransport({ controllers, logs, clock, settings: { 'auth.tokens': tokens } })),
  );
  afterAll(() => gateway.close());
  afterEach(async () => {
    clock.advance(60_000);
    await expectGoodService(gateway.port, OPERATOR);
    const logged = JSON.stringify(logs.entries);
    for (const { token } of tokens) expect(logged).not.toContain(token);
  });

  const endOf = async (options: Parameters<typeof FrameClient.open>[2]) => {
    const client = await FrameClient.open(gateway.port, '', options);
    client.send('message_in', { channel: 'test', sender: 'alice', content: 'let me in' });
    const end = await client.ended;
    expect(client.unread).toEqual([]);
    return end;
  };
  const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };

  it('[X-01] [X-13] a missing or wrong one is upgraded and closed with 4001 at once; nothing that it sends is handled', async () => {
    expect(await endOf({})).toEqual(UNAUTHORIZED);
    expect(await endOf({ headers: bearer('not-the-token-of-anybody') })).toEqual(UNAUTHORIZED);
    expect(await endOf({ headers: { authorization: `Basic ${OPERATOR}` } })).toEqual(UNAUTHORIZED);
    expect(await endOf({ headers: bearer(OPERATOR.slice(0, -1)) })).toEqual(UNAUTHORIZED);
    expect(await endOf({ protocols: ['openclaw.v1', 'openclaw.bearer.not-the-token'] })).toEqual(UNAUTHORIZED);
  });

  it('[X-02] a browser shows it as a subprotocol, and gets only openclaw.v1 back', async () => {
    const client = await FrameClient.open(gateway.port, '', { protocols: ['openclaw.v1', `openclaw.bearer.${USER}`] });
    expect(client.socket.protocol).toBe('openclaw.v1');
    expect((await client.next('acme.connected')).payload['role']).toBe('user');
    await client.close();
  });

  it('[X-02] two that differ are none, though both are good', async () => {
    expect(await endOf({ headers: bearer(OPERATOR), protocols: ['openclaw.v1', `openclaw.bearer.${USER}`] })).toEqual(
      UNAUTHORIZED,
    );
    const raw = await RawSocket.connect(gateway.port);
    raw.sendLines([
      ...upgradeLines(gateway.port),
      `Authorization: Bearer ${USER}`,
      `Authorization: Bearer ${OPERATOR}`,
    ]);
    expect((await raw.readHead()).status).toBe(101);
    expect(await raw.readClose()).toEqual(UNAUTHORIZED);
    raw.destroy();
  });

  it('[X-03] a token in the query string is 400, always, and the answer does not repeat it', async () => {
    for (const name of [
      'token',
      'access_token',
      'auth',
      'TOKEN',
      'api_key',
      'bearer',
      'authorization',
      'password',
      'jwt',
      'to%6ben',
    ]) {
      const raw = await RawSocket.connect(gateway.port);
      raw.sendLines(upgradeLines(gateway.port, `/?client_id=a&${name}=${OPERATOR}`, bearer(OPERATOR)));
      const answer = await raw.readAnswer();
      expect(answer.status).toBe(400);
      expect(answer.body).not.toContain(OPERATOR);
      const plain = await httpRequest(gateway.port, `/whoami?${name}=${OPERATOR}`, { headers: bearer(OPERATOR) });
      expect(plain.status).toBe(400);
      expect(plain.text).not.toContain(OPERATOR);
    }
  });

  it('[X-07] open mode is over once there is one: this very machine is a stranger without it', async () => {
    expect((await httpRequest(gateway.port, '/whoami')).json()).toEqual({ principal: null });
    expect((await httpRequest(gateway.port, '/whoami', { headers: bearer(USER) })).json()).toEqual({
      principal: 'ulf',
    });
  });

  it('[X-08] too many failures from an address are 429, for every kind of credential; a valid one passes meanwhile', async () => {
    const fails = [
      () => FrameClient.open(gateway.port, '').then((client) => client.ended),
      () =>
        FrameClient.open(gateway.port, '', { headers: bearer('a-guess-of-a-token') }).then((client) => client.ended),
      () => httpRequest(gateway.port, '/admin/things', { headers: bearer('a-guess-of-a-token') }),
      () => httpRequest(gateway.port, '/whoami', { headers: bearer('a-guess-of-a-token') }),
    ];
    for (let i = 0; i < 20; i++) await fails[i % fails.length]!();
    await expect(FrameClient.open(gateway.port)).rejects.toThrow('HTTP 429');
    const throttled = await httpRequest(gateway.port, '/admin/things', { headers: bearer('a-guess-of-a-token') });
    expect(throttled.status).toBe(429);
    expect(throttled.json()).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    await expectGoodService(gateway.port, OPERATOR);
    expect((await httpRequest(gateway.port, '/admin/things', { headers: bearer(OPERATOR) })).status).toBe(200);
    clock.advance(3_000);
    expect(await endOf({})).toEqual(UNAUTHORIZED);
    await expect(FrameClient.open(gateway.port)).rejects.toThrow('HTTP 429');
  });

  it('[X-08] a flood of good connections counts as no failure', async () => {
    for (let i = 0; i < 50; i++) await expectGoodService(gateway.port, OPERATOR);
    expect(await endOf({})).toEqual(UNAUTHORIZED);
  });
});

describe('HTTP', () => {
  let gateway: TransportApp;
  const logs = new RecordingLogs();
  const clock = new ManualClock();
  beforeAll(async () => {
    gateway = await startTransport({
      controllers,
      logs,
      clock,
      limits: { requestTimeoutMs: 100 },
      settings: { 'auth.tokens': tokens },
    });
  });
  afterAll(() => gateway.close());
  afterEach(async () => {
    clock.advance(60_000);
    await expectGoodService(gateway.port, OPERATOR);
  });
  const get = (path: string, headers: Record<string, string> = {}) => httpRequest(gateway.port, path, { headers });
  const post = (body: string, type = 'application/json') =>
    httpRequest(gateway.port, '/echo', { method: 'POST', headers: { 'content-type': type }, body });

  it('[X-17] a guarded route is 401 without a credential, and says how to show one', async () => {
    const answer = await get('/admin/things');
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer' });
    expect(answer.json()).toMatchObject({ type: 'about:blank', title: 'Unauthorized', status: 401 });
    expect((await get('/admin/things', bearer('a-guess-of-a-token'))).status).toBe(401);
  });

  it('[X-17] a guarded route is 403 for another role, and for a credential without the scope, which it names', async () => {
    expect((await get('/admin/things', bearer(OPERATOR))).json()).toEqual({ caller: 'olga' });
    const other = await get('/admin/things', bearer(USER));
    expect(other).toMatchObject({ status: 403 });
    expect(other.json()).toMatchObject({ code: 'FORBIDDEN', detail: 'Forbidden: this needs role operator' });
    const poor = await get('/admin/things', bearer(READER));
    expect(poor.json()).toMatchObject({ status: 403, code: 'FORBIDDEN', details: { missing_scope: 'admin:read' } });
  });

  it('[X-11] every failure is problem+json: unknown paths, bad JSON, bodies too large', async () => {
    const failures = [
      await get('/nothing'),
      await get('/%zz'),
      await post('{"a":'),
      await post(JSON.stringify('x'.repeat(300_000))),
    ];
    expect(failures.map((answer) => answer.status)).toEqual([404, 404, 400, 413]);
    for (const answer of failures) {
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.json()).toMatchObject({ status: answer.status });
      expect(answer.text).not.toMatch(/node_modules|\bat /);
    }
  });

  it('[X-11] an unexpected failure tells its id, and only the log its cause', async () => {
    const answer = await get('/fail');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('secret');
    const { error_id: errorId } = answer.json()['details'] as { error_id: string };
    const logged = logs.entries.find(
      (entry) => entry.level === 'error' && JSON.stringify(entry.fields).includes(errorId),
    );
    expect((logged?.fields as { error: Error }).error.message).toBe('a secret cause');
  });

  it('[X-11] an error of the table has its status, its code and its Retry-After', async () => {
    const answer = await get('/limited');
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '2' } });
    expect(answer.json()).toMatchObject({
      type: 'urn:openclaw:error:rate_limited',
      code: 'RATE_LIMITED',
      retryable: true,
      retry_after_ms: 1_500,
    });
  });

  it('[X-16] only JSON is read, and none that nests too deeply or holds too many values', async () => {
    expect((await post('{"a":1}')).json()).toEqual({ body: { a: 1 } });
    expect((await post('a=1', 'application/x-www-form-urlencoded')).json()).toEqual({ body: null });
    expect((await post('{"a":1}', 'text/plain')).json()).toEqual({ body: null });
    const deep = await post('['.repeat(100_000));
    expect(deep.json()).toMatchObject({ status: 400, detail: 'The body is not read: it nests deeper than 32' });
    expect((await post(`[${'1,'.repeat(20_000)}1]`)).status).toBe(400);
  });

  it('[X-12] every answer carries the headers that keep browsers from doing more than was meant', async () => {
    for (const answer of [await get('/health/live'), await get('/nothing'), await get('/whoami?token=x')]) {
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cache-control': 'no-store',
      });
      expect(answer.headers).not.toHaveProperty('x-powered-by');
      expect(answer.headers).not.toHaveProperty('etag');
    }
    expect((await get('/docs')).headers['content-security-policy']).toContain("script-src 'self'");
    expect((await get('/docsx')).headers['content-security-policy']).not.toContain('script-src');
  });

  it('[T-06] two Host headers, or a length beside chunks, are 400: nothing for smugglers', async () => {
    const answerTo = async (lines: string[]) => {
      const raw = await RawSocket.connect(gateway.port);
      raw.sendLines(lines);
      const { status } = await raw.readHead();
      raw.destroy();
      return status;
    };
    const host = `Host: 127.0.0.1:${gateway.port}`;
    expect(await answerTo(['GET /whoami HTTP/1.1', host, host])).toBe(400);
    expect(await answerTo(['GET /health/live HTTP/1.1', host, 'Host: evil.example'])).toBe(400);
    expect(await answerTo(['GET /health/live HTTP/1.1'])).toBe(400);
    expect(await answerTo(['POST /echo HTTP/1.1', host, 'Content-Length: 4', 'Transfer-Encoding: chunked'])).toBe(400);
    expect(await answerTo(['POST /echo HTTP/1.1', host, 'Content-Length: 4', 'Content-Length: 5'])).toBe(400);
    expect(await answerTo(['GET /whoami HTTP/1.1', host, `X-Large: ${'x'.repeat(17_000)}`])).toBe(431);
  });

  it('[T-14] a request that does not come to its end in time is closed', async () => {
    const raw = await RawSocket.connect(gateway.port);
    raw.sendLines([
      'POST /echo HTTP/1.1',
      `Host: 127.0.0.1:${gateway.port}`,
      'Content-Type: application/json',
      'Content-Length: 10',
    ]);
    raw.send('{');
    await raw.ended();
  });

  it('[T-46] idle connections do not keep the gateway from stopping', async () => {
    const own = await startTransport({ controllers });
    const idle = connect(own.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const ended = new Promise((resolve) => idle.once('close', resolve));
    await own.close();
    await ended;
  });
});

describe('junk in frames', () => {
  let gateway: TransportApp;
  let client: FrameClient;
  beforeAll(async () => {
    gateway = await startTransport();
    client = await FrameClient.open(gateway.port);
  });
  afterAll(() => gateway.close());
  afterEach(() => client.answerTo(client.send('ping')));

  const refusal = async (source: string) => {
    client.socket.send(source);
    return (await client.next('error')).payload;
  };
  const frame = (payload: string, envelope = '') =>
    `{"type":"message_in","id":"junk","timestamp":1,"payload":${payload}${envelope}}`;
  const message = (more: string) => frame(`{"channel":"c","sender":"s","content":"x",${more}}`);
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  it.each([
    ['[E-01] an empty text', ''],
    ['[E-01] JSON that is no object', '[]'],
    ['[E-01] a number', '42'],
    ['[E-01] null', 'null'],
    ['[E-01] two objects', '{}{}'],
    ['[E-01] a byte order mark', `\ufeff${frame('{}')}`],
    ['[E-01] a comment', `${frame('{}')} // hello`],
    ['[E-01] no type', '{"id":"1","timestamp":1,"payload":{}}'],
    ['[E-01] a type that is no text', '{"type":["ping"],"id":"1","timestamp":1,"payload":{}}'],
    ['[E-01] a timestamp with a fraction', '{"type":"ping","id":"1","timestamp":1.5,"payload":{}}'],
    ['[E-01] a payload that is a list', '{"type":"ping","id":"1","timestamp":1,"payload":[]}'],
    ['[E-02] an empty id', '{"type":"ping","id":"","timestamp":1,"payload":{}}'],
    ['[E-02] an id of 129 characters', `{"type":"ping","id":"${'i'.repeat(129)}","timestamp":1,"payload":{}}`],
    ['[E-02] an id with a line break', '{"type":"ping","id":"a\\nb","timestamp":1,"payload":{}}'],
    ['[E-03] an unknown field', frame('{}', ',"priority":10')],
    ['[E-04] 33 levels', message(`"metadata":{"a":${nested(33)}}`)],
    ['[E-04] 100,000 levels', message(`"metadata":{"a":${nested(100_000)}}`)],
    ['[E-04] 10,001 values', message(`"metadata":{"a":[${'1,'.repeat(10_001)}1]}`)],
    ['[E-05] __proto__', message('"metadata":{"__proto__":{"admin":true}}')],
    ['[E-05] an escaped __proto__', message('"metadata":{"\\u005f_proto__":1}')],
    ['[E-05] constructor', message('"metadata":{"constructor":{}}')],
    ['[E-05] prototype', frame('{"prototype":1}')],
  ])('%s: INVALID_FRAME', async (_, source) => expect((await refusal(source))['code']).toBe('INVALID_FRAME'));

  it.each([
    ['[E-07] NUL', '"sender_name":"a\\u0000b"'],
    ['[E-07] a lone surrogate', '"sender_name":"\\ud800"'],
    ['[E-07] NUL deep in metadata', '"metadata":{"a":[{"b":"\\u0000"}]}'],
    ['[E-07] a lone surrogate as a key of metadata', '"metadata":{"\\udc00":1}'],
    ['[E-07] a control character in a name', '"group_id":"a\\u0007"'],
    ['[E-03] an unknown field', '"is_admin":true'],
    ['[E-03] a wrong type', '"is_direct_mention":"yes"'],
    ['[E-06] 257 characters', `"sender_name":"${'n'.repeat(257)}"`],
  ])('[E-07] %s: INVALID_PAYLOAD', async (_, more) => {
    expect(await refusal(message(more))).toMatchObject({
      code: 'INVALID_PAYLOAD',
      details: { faults: [{ pointer: expect.stringMatching(/^\//) as string }] },
    });
  });

  it('[T-35] a fault under a very long key is told in short', async () => {
    const key = 'k'.repeat(100_000);
    const refusals = [
      await refusal(message(`"${key}":1`)),
      await refusal(message(`"metadata":{"${key}":"\\u0000"}`)),
      await refusal(frame('{}', `,"${key}":1`)),
    ];
    expect(refusals.map((payload) => payload['code'])).toEqual(['INVALID_PAYLOAD', 'INVALID_PAYLOAD', 'INVALID_FRAME']);
    for (const payload of refusals) expect(JSON.stringify(payload).length).toBeLessThan(2_000);
  });

  it('[E-06] what looks odd and is fine passes', async () => {
    const odd = [
      message('"metadata":{"Constructor":1,"a\\\\u0000":"b"}'),
      message(`"metadata":{"a":${nested(29)}}`),
      frame('{"channel":"c","sender":"s","content":"\\u0007 🦞 \\ud83e\\udd9e"}'),
    ];
    for (const source of odd) {
      client.socket.send(source);
      expect((await client.answerTo('junk')).type).toBe('acme.echo');
    }
  });
});
