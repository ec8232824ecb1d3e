import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { EgressGuard, type HostAddress } from '../../../http/egress/egress-guard.js';
import { EgressProxy } from './egress-proxy.js';

const LOOPBACK: HostAddress = { address: '127.0.0.1', family: 4 };
const PRIVATE: HostAddress = { address: '10.1.2.3', family: 4 };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A server on loopback, the address of every allowed host. */
async function startServer(): Promise<{
  readonly port: number;
  readonly seen: IncomingMessage[];
  readonly server: Server;
}> {
  const seen: IncomingMessage[] = [];
  const server = createServer((incoming, response) => {
    seen.push(incoming);
    response.end(`hello from ${incoming.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => (server.closeAllConnections(), server.close()));
  return { port: (server.address() as AddressInfo).port, seen, server };
}

async function startProxy(
  answers: readonly HostAddress[],
  allowed: readonly string[],
  credential?: { readonly username: string; readonly password: string },
): Promise<{ readonly proxy: EgressProxy; readonly lookups: string[] }> {
  const lookups: string[] = [];
  const guard = new EgressGuard(
    () => allowed,
    async (name) => [answers[Math.min(lookups.push(name), answers.length) - 1]!],
  );
  const proxy = await EgressProxy.start(guard, { host: '127.0.0.1', ...(credential && { credential }) });
  cleanups.push(() => proxy.close());
  return { proxy, lookups };
}

/** Sends a request as a browser sends it to a proxy. */
async function get(proxy: EgressProxy, url: string, headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(proxy.url);
  const outgoing = request({ host: hostname, port, path: url, headers: { host: new URL(url).host, ...headers } }).end();
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    outgoing.once('response', resolve).once('error', reject),
  );
  return { status: response.statusCode, body: await text(response) };
}

/** Asks for a tunnel, as for TLS and WebSockets. Resolves with the first line of the answer. */
async function tunnel(proxy: EgressProxy, target: string, header = ''): Promise<string> {
  const { hostname, port } = new URL(proxy.url);
  const socket = connect(Number(port), hostname);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${header}\r\n`);
  const [line = ''] = (
    await new Promise<Buffer>((resolve, reject) => socket.once('data', resolve).once('error', reject))
  )
    .toString()
    .split('\r\n');
  socket.destroy();
  return line;
}

/** Opens a tunnel to a host that `serve` plays. Resolves with all that came through it, when it has ended. */
async function readTunnel(
  serve: (host: Socket) => void,
): Promise<{ readonly seen: string; readonly warnings: string[] }> {
  const host = createTcpServer((socket) => serve(socket.on('error', () => {})));
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => host.close());
  const { port: hostPort } = host.address() as AddressInfo;
  const { proxy } = await startProxy([LOOPBACK], ['site.test']);
  const warnings: string[] = [];
  const warn = ({ message }: Error) => void warnings.push(message);
  process.on('warning', warn);
  cleanups.push(() => process.off('warning', warn));
  const { hostname, port } = new URL(proxy.url);
  const socket = connect(Number(port), hostname).on('error', () => {});
  socket.write(`CONNECT site.test:${hostPort} HTTP/1.1\r\nHost: site.test\r\n\r\nping`);
  let seen = '';
  socket.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await new Promise((resolve) => socket.once('close', resolve));
  return { seen, warnings };
}

describe('the proxy of the browser', () => {
  it('[U-02] passes a request to an allowed host on, without the headers of the connection', async () => {
    const { port, seen } = await startServer();
    const { proxy } = await startProxy([LOOPBACK], ['site.test']);
    const headers = { 'proxy-connection': 'keep-alive', 'x-own': 'kept' };
    expect(await get(proxy, `http://site.test:${port}/page?q`, headers)).toEqual({
      ...{ status: 200, body: 'hello from /page?q' },
    });
    expect(seen[0]?.headers).toMatchObject({ host: `site.test:${port}`, 'x-own': 'kept' });
    expect(seen[0]?.headers).not.toHaveProperty('proxy-connection');
  });

  it('[U-02] refuses a host that is not allowed, by requests and tunnels, and says which setting allows it', async () => {
    const { port, seen } = await startServer();
    const { proxy } = await startProxy([LOOPBACK], []);
    const { status, body } = await get(proxy, `http://site.test:${port}/`);
    expect([status, body]).toEqual([403, expect.stringContaining('is not a public host')]);
    expect(await tunnel(proxy, `site.test:${port}`)).toContain(' 403 ');
    expect(await tunnel(proxy, `127.0.0.1:${port}`)).toContain(' 403 ');
    expect(seen).toEqual([]);
  });

  it('[U-02] checks each connection: a name that changes between two look-ups is connected to what was checked', async () => {
    const { port, seen } = await startServer();
    // Every entry is a look-up: a second one of the same connection would reach 169.254.169.254.
    const metadata = { address: '169.254.169.254', family: 4 };
    const { proxy, lookups } = await startProxy([LOOPBACK, metadata, PRIVATE], ['rebind.test']);
    expect(await get(proxy, `http://rebind.test:${port}/1`)).toMatchObject({ status: 200 });
    expect(await get(proxy, `http://rebind.test:${port}/2`)).toMatchObject({ status: 403 });
    expect([lookups.length, seen.length]).toEqual([2, 1]);
  });

  it('[U-02] checks each tunnel the same way', async () => {
    const { port } = await startServer();
    const { proxy, lookups } = await startProxy([LOOPBACK, { address: '169.254.169.254', family: 4 }], ['rebind.test']);
    expect(await tunnel(proxy, `rebind.test:${port}`)).toContain(' 200 ');
    expect(await tunnel(proxy, `rebind.test:${port}`)).toContain(' 403 ');
    expect(lookups).toHaveLength(2);
  });

  it('[U-02] passes a tunnel on in both directions until the host ends it', async () => {
    const { seen, warnings } = await readTunnel((host) => {
      host.once('data', (chunk: Buffer) => host.end(`${chunk.toString()} pong`));
    });
    expect(seen).toBe('HTTP/1.1 200 Connected\r\n\r\nping pong');
    expect(warnings).toEqual([]);
  });

  it('[U-02] adds nothing to a tunnel that its host breaks off', async () => {
    const { seen } = await readTunnel((host) => host.once('data', () => host.resetAndDestroy()));
    expect(seen).toBe('HTTP/1.1 200 Connected\r\n\r\n');
  });

  it('[U-02] needs its password where other machines reach it', async () => {
    const { port } = await startServer();
    const credential = { username: 'gateway', password: 'secret' };
    const { proxy } = await startProxy([LOOPBACK], ['site.test'], credential);
    const authorization = `Basic ${Buffer.from('gateway:secret').toString('base64')}`;
    const url = `http://site.test:${port}/`;
    expect(await get(proxy, url)).toMatchObject({ status: 407 });
    expect(await get(proxy, url, { 'proxy-authorization': 'Basic eDp5' })).toMatchObject({ status: 407 });
    expect(await get(proxy, url, { 'proxy-authorization': authorization })).toMatchObject({ status: 200 });
    expect(await tunnel(proxy, `site.test:${port}`)).toContain(' 407 ');
    expect(await tunnel(proxy, `site.test:${port}`, `Proxy-Authorization: ${authorization}\r\n`)).toContain(' 200 ');
  });

  it('[U-02] answers only requests of a proxy, and says when a host cannot be reached', async () => {
    const { proxy } = await startProxy([LOOPBACK], ['site.test']);
    const { hostname, port } = new URL(proxy.url);
    const direct = request({ host: hostname, port, path: '/' }).end();
    const response = await new Promise<IncomingMessage>((resolve) => direct.once('response', resolve));
    expect([response.statusCode, await text(response)]).toEqual([400, expect.any(String)]);
    expect(await get(proxy, 'http://site.test:1/')).toMatchObject({ status: 502 });
  });
});
