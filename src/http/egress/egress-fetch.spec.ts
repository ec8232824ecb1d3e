import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createEgressFetch, findEgressAgent } from './egress-fetch.js';

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

afterEach(() => {
  vi.useRealTimers();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('requests to configured servers', () => {
  it('carry method, headers and body, and stream the response', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(201, { 'x-seen': `${request.method} ${String(request.headers['x-key'])}` });
      request.pipe(response);
    });
    const response = await createEgressFetch({})(url, { method: 'POST', headers: { 'X-Key': 'k' }, body: '{"a":"é"}' });
    expect([response.status, response.headers.get('x-seen')]).toEqual([201, 'POST k']);
    expect(await response.text()).toBe('{"a":"é"}');
  });

  it('wait for a response as long as their caller does', async () => {
    const arrived = Promise.withResolvers<() => void>();
    const { url } = await serve((_request, response) => arrived.resolve(() => response.end('at last')));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const response = createEgressFetch({})(url);
    const respond = await arrived.promise;
    await vi.advanceTimersByTimeAsync(3_600_000);
    respond();
    expect(await (await response).text()).toBe('at last');
  });

  it('end with their signal, before and within the response', async () => {
    let ended = 0;
    const { url } = await serve((request, response) => {
      response.once('close', () => ended++);
      if (request.url === '/begun') response.write('a');
    });
    const stop = new AbortController();
    const fetch = createEgressFetch({});
    const silent = fetch(`${url}/silent`, { signal: stop.signal });
    const begun = await fetch(`${url}/begun`, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(silent).rejects.toThrow('enough');
    await expect(begun.text()).rejects.toThrow();
    await expect.poll(() => ended).toBe(2);
    await expect(fetch(url, { signal: stop.signal })).rejects.toThrow('enough');
  });

  it('fail when the connection breaks, cannot be made, or changes its protocol', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/within') response.write('a', () => response.destroy());
      else if (request.url === '/101') response.writeHead(101, { upgrade: 'x', connection: 'upgrade' }).end();
      else request.socket.destroy();
    });
    const fetch = createEgressFetch({});
    await expect(fetch(url)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect((await fetch(`${url}/within`)).text()).rejects.toThrow();
    await expect(fetch(`${url}/101`)).rejects.toThrow('another protocol');
    await expect(fetch('http://127.0.0.1:9')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('follow no redirect', async () => {
    const { url } = await serve((_request, response) => response.writeHead(307, { location: '/else' }).end());
    const fetch = createEgressFetch({});
    expect((await fetch(url, { redirect: 'manual' })).headers.get('location')).toBe('/else');
    await expect(fetch(url, { redirect: 'error' })).rejects.toThrow('redirects to another address (HTTP 307)');
  });

  it('go through the proxy that the environment names, except those to loopback and to the hosts of NO_PROXY', async () => {
    const asked: string[] = [];
    const proxy = await serve((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('from the proxy');
    });
    proxy.server.on('connect', (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    const { url } = await serve((_request, response) => response.end('direct'));
    const fetch = createEgressFetch({ http_proxy: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: 'inside.invalid' });
    expect(await (await fetch('http://models.invalid/v1', { method: 'POST', body: 'x' })).text()).toBe(
      'from the proxy',
    );
    await expect(fetch('https://models.invalid/v1')).rejects.toThrow();
    await expect(fetch('http://inside.invalid/v1')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    for (const host of ['127.0.0.1', 'localhost'])
      expect(await (await fetch(url.replace('127.0.0.1', host))).text()).toBe('direct');
    expect(asked).toEqual(['POST http://models.invalid/v1', 'CONNECT models.invalid:443']);
  });

  it('by a WebSocket go through the same proxy', async () => {
    const tunnels: (string | undefined)[] = [];
    const proxy = await serve((_request, response) => response.end());
    proxy.server.on('connect', (request, socket) => {
      tunnels.push(request.url);
      socket.destroy();
    });
    const agent = findEgressAgent('wss://outside.invalid', { HTTPS_PROXY: proxy.url })!;
    const socket = new WebSocket('wss://outside.invalid/', { agent });
    await once(socket, 'error');
    expect(tunnels).toEqual(['outside.invalid:443']);
    expect(findEgressAgent('ws://127.0.0.1:1', { HTTP_PROXY: proxy.url })).toBeUndefined();
  });

  it('are the only ones of agents and tools: no file uses the global fetch', () => {
    const root = new URL('../..', import.meta.url).pathname;
    const files = globSync('{agents,tools}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.spec.ts'));
    expect(files.filter((file) => /(?<![.\w])(globalThis\.)?fetch\(/.test(readFileSync(root + file, 'utf8')))).toEqual(
      [],
    );
  });
});
