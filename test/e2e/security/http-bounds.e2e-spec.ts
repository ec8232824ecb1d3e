import { Controller, Get, HttpCode, Post, Req, StreamableFile } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpLimits } from '../../../src/http/index.js';
import { httpRequest } from '../../support/http-request.js';
import { RawSocket } from '../../support/raw-socket.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';

const LARGE_BYTES = 32 * 1_048_576;

let opened: number;
let closed: number;

@Controller()
class FilesController {
  @Get('large')
  readLarge(): StreamableFile {
    opened++;
    const body = new Readable({ read: () => {} });
    for (let i = 0; i < LARGE_BYTES; i += 65_536) body.push(Buffer.alloc(65_536));
    body.push(null);
    body.once('close', () => closed++);
    return new StreamableFile(body);
  }

  @Get('small')
  readSmall(): string {
    opened++;
    return 'small';
  }

  @HttpCode(200)
  @Post('take')
  async take(@Req() request: IncomingMessage): Promise<string> {
    return String((await buffer(request)).byteLength);
  }
}

let gateway: TransportApp;
async function start(limits: Partial<HttpLimits> = {}, settings = {}): Promise<void> {
  [opened, closed] = [0, 0];
  gateway = await startTransport({ controllers: [FilesController], limits, settings });
}
afterEach(() => gateway.close());

const head = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${gateway.port}`, ...headers, '', ''].join('\r\n');

describe('HTTP requests under way', () => {
  it('[N-02] are handled one at a time on each connection, in order', async () => {
    await start();
    const raw = await RawSocket.connect(gateway.port);
    raw.socket.pause();
    raw.send(head('/large') + head('/small') + head('/small', 'Connection: close'));
    await expect.poll(() => opened).toBe(1);
    raw.socket.resume();
    await raw.ended();
    expect([opened, closed]).toEqual([3, 1]);
  });

  it('[N-02] a connection with too many that wait is closed, and its file with it', async () => {
    await start();
    const raw = await RawSocket.connect(gateway.port);
    raw.socket.pause();
    raw.send(head('/large').repeat(400));
    await expect.poll(() => closed).toBe(1);
    expect(opened).toBe(1);
    raw.destroy();
  });

  it('[N-02] a peer that takes nothing of its response for long is disconnected', async () => {
    await start({ requestTimeoutMs: 200, responseStallMs: 300 });
    const raw = await RawSocket.connect(gateway.port);
    raw.socket.pause();
    raw.send(head('/large'));
    await expect.poll(() => closed).toBe(1);
    raw.destroy();
  });

  it('[T-18] a plain connection over the limit of its address is 429, and a close frees a place', async () => {
    await start({}, { 'limits.connections_per_address': 2 });
    const held = await Promise.all([1, 2].map(() => RawSocket.connect(gateway.port)));
    await expect.poll(async () => (await httpRequest(gateway.port, '/small')).status).toBe(429);
    held[0]?.destroy();
    await expect.poll(async () => (await httpRequest(gateway.port, '/small')).status).toBe(200);
    held[1]?.destroy();
  });

  it('[T-18] counts the requests of clients behind a trusted proxy, not the connections of the proxy', async () => {
    await start({}, { 'limits.connections_per_address': 1, 'gateway.trusted_proxies': ['127.0.0.1'] });
    const forwarded = (client: string) => `X-Forwarded-For: ${client}`;
    const slow = await RawSocket.connect(gateway.port);
    slow.socket.pause();
    slow.send(head('/large', forwarded('10.0.0.1')));
    await expect.poll(() => opened).toBe(1);
    const ask = (client: string) => httpRequest(gateway.port, '/small', { headers: { 'x-forwarded-for': client } });
    expect((await ask('10.0.0.1')).status).toBe(429);
    expect((await ask('10.0.0.2')).status).toBe(200);
    slow.destroy();
  });
});

describe('a slow upload', () => {
  const post = (length: number) =>
    [`POST /take HTTP/1.1`, `Host: 127.0.0.1:${gateway.port}`, `Content-Length: ${length}`, '', ''].join('\r\n');

  it('[T-14] goes on for as long as it makes progress', async () => {
    await start({ requestTimeoutMs: 200, minBodyBytesPerSecond: 1_000 });
    const raw = await RawSocket.connect(gateway.port);
    raw.send(post(20_000).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    for (let sent = 0; sent < 20_000; sent += 1_000) {
      raw.send(Buffer.alloc(1_000));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await raw.readAnswer()).toMatchObject({ status: 200, body: '20000' });
  });

  it('[T-14] is answered with 408 when it makes too little', async () => {
    await start({ requestTimeoutMs: 200, minBodyBytesPerSecond: 1_000 });
    const raw = await RawSocket.connect(gateway.port);
    raw.send(post(20_000));
    const drip = setInterval(() => raw.send('x'), 20);
    expect((await raw.readAnswer()).status).toBe(408);
    clearInterval(drip);
  });
});
