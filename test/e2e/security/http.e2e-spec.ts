import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/testing/index.js';
import { httpRequest } from '../../support/http-request.js';
import { RawSocket } from '../../support/raw-socket.js';
import { RecordingLogs } from '../../support/recording-logs.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';
import { OPERATOR, READER, USER, tokens, bearer, controllers, expectGoodService } from './support.js';

describe('HTTP', () => {
  let gateway: TransportApp;
  const logs = new RecordingLogs();
  const clock = new ManualClock();
  beforeAll(async () => {
    gateway = await startTransport({
      controllers,
      logs,
      clock,
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

  it('[X-17] a guarded route is 401 without a credential, and names the scheme', async () => {
    const answer = await get('/admin/things');
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer' });
    expect(answer.json()).toMatchObject({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      code: 'UNAUTHORIZED',
    });
    expect((await get('/admin/things', bearer('a-guess-of-a-token'))).status).toBe(401);
  });

  it('[X-17] a guarded route is 403 for another role or without the scope, and names the missing one', async () => {
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

  it('[X-11] an unexpected failure returns an error id, and only the log has its cause', async () => {
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

  it('[X-16] only JSON is read, and JSON that nests too deeply or has too many values is refused', async () => {
    expect((await post('{"a":1}')).json()).toEqual({ body: { a: 1 } });
    expect((await post('a=1', 'application/x-www-form-urlencoded')).json()).toEqual({ body: null });
    expect((await post('{"a":1}', 'text/plain')).json()).toEqual({ body: null });
    const deep = await post('['.repeat(100_000));
    expect(deep.json()).toMatchObject({ status: 400, detail: 'The body is not read: it nests deeper than 32' });
    expect((await post(`[${'1,'.repeat(20_000)}1]`)).status).toBe(400);
  });

  it('[X-12] every response carries the security headers for browsers', async () => {
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

  it('[T-06] ambiguous requests, as used for smuggling, are 400: two Host headers, or a length with chunks', async () => {
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

  it('[T-06] a target that is not a path, or has NUL, is 400', async () => {
    for (const target of [`http://127.0.0.1:${gateway.port}/whoami`, 'http://evil.example/', '*', 'whoami']) {
      const raw = await RawSocket.connect(gateway.port);
      raw.sendLines([`OPTIONS ${target} HTTP/1.1`, `Host: 127.0.0.1:${gateway.port}`]);
      expect([target, (await raw.readHead()).status]).toEqual([target, 400]);
      raw.destroy();
    }
    for (const path of ['/whoami?a=%00', '/who%00ami']) expect((await get(path)).json()).toMatchObject({ status: 400 });
  });

  it('[T-14] a request that is not complete in time is closed', async () => {
    const own = await startTransport({ controllers, limits: { requestTimeoutMs: 500 } });
    const raw = await RawSocket.connect(own.port);
    raw.sendLines([
      'POST /echo HTTP/1.1',
      `Host: 127.0.0.1:${own.port}`,
      'Content-Type: application/json',
      'Content-Length: 10',
    ]);
    raw.send('{');
    await raw.ended();
    await own.close();
  });

  it('[T-46] idle connections do not delay the stop of the gateway', async () => {
    const own = await startTransport({ controllers });
    const idle = connect(own.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const ended = new Promise((resolve) => idle.once('close', resolve));
    await own.close();
    await ended;
  });
});
