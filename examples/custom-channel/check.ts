// Runs the gateway between a pager service and the built-in agent, and asserts what people see: `node dist/check.js`.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createHttpAdapter, GatewayModule, GatewayWsAdapter, loadSettings } from 'openclaw-gateway-nest';
import { PagerModule } from './pager.module.js';

const written: { number: number; from: string; text: string; at: string }[] = [];
const sent: { to: string; text: string }[] = [];
let confirmed = 0;
let isBusy = true;

/** A person writes to the bot. */
function write(from: string, text: string): void {
  written.push({ number: written.length + 1, from, text, at: new Date().toISOString() });
}

/** The pager service. It is busy once, so that the gateway has to try again. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://pager');
  assert.equal(pathname, '/pages');
  if (request.method === 'POST' && isBusy) {
    isBusy = false;
    response.writeHead(429, { 'retry-after': '1' }).end();
  } else if (request.method === 'POST') {
    sent.push((await json(request)) as (typeof sent)[number]);
    response.end(JSON.stringify({ id: String(sent.length) }));
  } else {
    confirmed = Math.max(confirmed, Number(searchParams.get('after')));
    const isWaiting = () => written.length <= confirmed && searchParams.get('wait') !== '0' && !request.destroyed;
    while (isWaiting()) await sleep(20);
    response.end(JSON.stringify(written.slice(confirmed)));
  }
}

async function eventually(check: () => void): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      return check();
    } catch {
      await sleep(50);
    }
  }
  check();
}

const pager = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
await once(pager, 'listening');
const { port } = pager.address() as AddressInfo;

const settings = loadSettings(
  { NODE_ENV: 'production' },
  {
    'store.url': 'sqlite::memory:',
    'channels.pager.url': `http://127.0.0.1:${port}`,
    'channels.pager.allow_from': ['ann'],
  },
  import.meta.dirname,
  [PagerModule],
);
const root = GatewayModule.forRoot({ settings, modules: [PagerModule] });
const app = await NestFactory.create(root, createHttpAdapter(), { logger: false, forceCloseConnections: true });
app.useWebSocketAdapter(new GatewayWsAdapter(app));
await app.listen(0, '127.0.0.1');

write('ann', '/blocks 2');
write('eve', 'let me in');
await eventually(() => {
  assert.deepEqual(
    sent.filter(({ to }) => to === 'ann').map(({ text }) => text),
    ['block 1', 'block 2'],
  );
});
await eventually(() => assert.match(sent.find(({ to }) => to === 'eve')?.text ?? '', /Your code is [A-Z2-9]{8}/));
await eventually(() => assert.equal(confirmed, 2));

await app.close();
pager.closeAllConnections();
pager.close();
console.log('the pager answers');
