import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { loadSettings } from '../../settings.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { EgressGuard } from '../../http/egress/egress-guard.js';
import { requestGuarded } from '../../http/egress/guarded-request.js';
import { ManualClock } from '../../testing/index.js';
import { HttpFetchTool, type HttpFetchResult } from './http-fetch.tool.js';

let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  answer(request, response);
});
let port: number;
let url: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  url = `http://127.0.0.1:${port}/`;
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});
beforeEach(() => void requests.splice(0));

const clock = new ManualClock();

function fetchWith(
  parameters: Parameters<HttpFetchTool['execute']>[0],
  settings: object = {},
  signal = new AbortController().signal,
  trace?: string,
): Promise<HttpFetchResult> {
  const loaded = loadSettings(
    { NODE_ENV: 'production' },
    { 'tools.http.allow_hosts': [`127.0.0.1:${port}`], ...settings },
    '/nonexistent',
  );
  return new HttpFetchTool(new ConfigStoreService(loaded, new SilentLogs()), clock).execute(parameters, {
    signal,
    trace,
  });
}

const respond =
  (body: string | Buffer, headers: Record<string, string> = { 'content-type': 'text/plain' }, status = 200) =>
  (_request: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(status, headers).end(body);

describe('http.fetch', () => {
  it('[O-22] returns text with its type and status, for any status', async () => {
    answer = respond('{"a":1}', { 'content-type': 'application/problem+json; charset=utf-8' }, 404);
    expect(await fetchWith({ url })).toEqual({
      url,
      status: 404,
      content_type: 'application/problem+json',
      size_bytes: 7,
      content: '{"a":1}',
    });
  });

  it('[O-22] reads other character sets and compressed bodies', async () => {
    answer = respond(Buffer.from([0xe9]), { 'content-type': 'text/plain; charset=iso-8859-1' });
    expect(await fetchWith({ url })).toMatchObject({ content: 'é' });
    answer = respond(gzipSync('packed'), { 'content-type': 'text/plain', 'content-encoding': 'gzip' });
    expect(await fetchWith({ url })).toMatchObject({ content: 'packed' });
    answer = respond(brotliCompressSync('packed'), {
      'content-type': 'text/plain; charset=nonsense',
      'content-encoding': 'br',
    });
    expect(await fetchWith({ url })).toMatchObject({ content: 'packed' });
  });

  it('[O-22] summarises a body that is not text', async () => {
    answer = respond(Buffer.from([0x89, 0x50, 0, 1]), { 'content-type': 'image/png' });
    expect(await fetchWith({ url })).toEqual({
      url,
      status: 200,
      content_type: 'image/png',
      size_bytes: 4,
      note: '4 bytes of binary data are not shown',
    });
    answer = respond(Buffer.from([0, 1]), {});
    expect(await fetchWith({ url })).not.toHaveProperty('content');
  });

  it('[O-23] reads at most its limit of uncompressed bytes', async () => {
    answer = respond(gzipSync('x'.repeat(10_000_000)), { 'content-type': 'text/plain', 'content-encoding': 'gzip' });
    expect(await fetchWith({ url }, { 'tools.http.max_bytes': 4_096 })).toMatchObject({
      size_bytes: 4_096,
      note: 'only the first 4096 characters are shown',
    });
    answer = respond('"'.repeat(150_000));
    const long = await fetchWith({ url });
    expect(long.content).toHaveLength(100_000);
    expect(JSON.stringify(long).length).toBeLessThan(262_144);
  });

  it('[O-23] gives up at its time limit, even in the middle of a body', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).write('begin');
      setImmediate(() => clock.advance(20_000));
    };
    await expect(fetchWith({ url })).rejects.toThrow('no complete response within 20000 ms');
  });

  it('[O-23] stops with its turn', async () => {
    const turn = new AbortController();
    answer = () => turn.abort(new Error('cancelled'));
    await expect(fetchWith({ url }, {}, turn.signal)).rejects.toThrow('cancelled');
  });

  it('[O-23] fails immediately when the host switches to another protocol', async () => {
    answer = (_request, { socket }) =>
      void socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await expect(fetchWith({ url })).rejects.toThrow('switches to another protocol');
  });

  it('[O-23] fails when the connection ends without a response', async () => {
    answer = (_request, { socket }) => void socket?.end();
    await expect(fetchWith({ url })).rejects.toThrow();
  });

  it('[O-23] refuses a response with endless headers', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end();
    await expect(fetchWith({ url })).rejects.toThrow(/Header overflow/i);
  });

  it('[O-20] reaches no private host that a setting does not allow', async () => {
    await expect(fetchWith({ url }, { 'tools.http.allow_hosts': [] })).rejects.toThrow('is not a public host');
    expect(requests).toEqual([]);
  });

  it('[O-20] checks every redirect', async () => {
    answer = (_request, response) => void response.writeHead(302, { location: `http://localhost:${port}/` }).end();
    await expect(fetchWith({ url })).rejects.toThrow(`localhost:${port} is not a public host`);
    answer = (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    await expect(fetchWith({ url })).rejects.toThrow('file: is not allowed');
  });

  it('follows at most five redirects', async () => {
    answer = (request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.writeHead(200, { 'content-type': 'text/plain' }).end('there');
      else response.writeHead(301, { location: `/${left - 1}` }).end();
    };
    expect(await fetchWith({ url: `${url}5` })).toMatchObject({ url: `${url}0`, content: 'there' });
    await expect(fetchWith({ url: `${url}6` })).rejects.toThrow('more than 5 redirects');
  });

  it('sends no credentials, and the requested host', async () => {
    answer = respond('ok');
    await fetchWith({ url, accept: 'text/html' });
    const { host, accept, ...rest } = requests[0]?.headers ?? {};
    expect([host, accept]).toEqual([`127.0.0.1:${port}`, 'text/html']);
    expect(Object.keys(rest).sort()).toEqual(['accept-encoding', 'connection', 'user-agent']);
  });

  it('[L-27] sends the trace context of its call', async () => {
    answer = respond('ok');
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await fetchWith({ url }, {}, undefined, trace);
    expect(requests[0]?.headers.traceparent).toBe(trace);
  });

  it('HEAD has no body', async () => {
    answer = respond('not sent', { 'content-type': 'text/plain', 'content-encoding': 'gzip' });
    expect(await fetchWith({ url, method: 'HEAD' })).toMatchObject({ status: 200, size_bytes: 0 });
  });
});

describe('a guarded request', () => {
  const signal = new AbortController().signal;
  const resolved: string[] = [];
  const guard = new EgressGuard(
    () => [`site.test:${port}`, `other.test:${port}`],
    async (name) => {
      resolved.push(name);
      return [{ address: '127.0.0.1', family: 4 }];
    },
  );

  it('[O-20] connects to the checked address, whatever the name resolves to later', async () => {
    answer = respond('ok');
    const { body } = await requestGuarded(guard, { url: `http://site.test:${port}/`, maxBytes: 100, signal });
    expect([body.toString(), resolved, requests[0]?.headers.host]).toEqual(['ok', ['site.test'], `site.test:${port}`]);
  });

  it('sends credentials only to the origin that they are for', async () => {
    answer = (request, response) => {
      if (request.url === '/') response.writeHead(307, { location: '/same' }).end();
      else if (request.url === '/same') response.writeHead(307, { location: `http://other.test:${port}/other` }).end();
      else response.end('ok');
    };
    const headers = { authorization: 'Bearer x', 'x-kept': '1' };
    await requestGuarded(guard, {
      url: `http://site.test:${port}/`,
      method: 'POST',
      body: Buffer.from('body'),
      headers,
      maxBytes: 100,
      signal,
    });
    expect(
      requests.map((request) => [request.method, request.headers.authorization, request.headers['x-kept']]),
    ).toEqual([
      ['POST', 'Bearer x', '1'],
      ['POST', 'Bearer x', '1'],
      ['POST', undefined, '1'],
    ]);
  });

  it('[O-23] does not wait for a name server that does not respond', async () => {
    const silent = new EgressGuard(
      () => [],
      () => new Promise(() => {}),
    );
    const request = requestGuarded(silent, { url: 'http://site.test/', maxBytes: 100, signal: AbortSignal.timeout(1) });
    await expect(request).rejects.toThrow('timeout');
  });

  it('uses GET after a 303', async () => {
    answer = (request, response) =>
      void (request.url === '/' ? response.writeHead(303, { location: '/done' }).end() : response.end('ok'));
    await requestGuarded(guard, {
      url: `http://site.test:${port}/`,
      method: 'POST',
      body: Buffer.from('body'),
      maxBytes: 100,
      signal,
    });
    expect(requests.map((request) => request.method)).toEqual(['POST', 'GET']);
  });

  it('fails when a compressed body is corrupt', async () => {
    answer = respond('no gzip', { 'content-encoding': 'gzip' });
    await expect(requestGuarded(guard, { url: `http://site.test:${port}/`, maxBytes: 100, signal })).rejects.toThrow(
      'incorrect header check',
    );
  });

  it('fails when the connection is cut', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('begin');
      setImmediate(() => request.socket.destroy());
    };
    await expect(requestGuarded(guard, { url: `http://site.test:${port}/`, maxBytes: 1_000, signal })).rejects.toThrow(
      'aborted',
    );
  });
});
