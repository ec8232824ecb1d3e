// Runs the gateway between a pager service and the built-in agent, and asserts what people see: `node dist/check.js`.
import assert from 'node:assert/strict';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createHttpAdapter, GatewayModule, GatewayWsAdapter, loadSettings } from 'openclaw-gateway-nest';
import { PagerModule } from './pager.module.js';
import { eventually, PagerService } from './pager-service.js';

const pager = new PagerService();
await pager.start();

const settings = loadSettings(
  { NODE_ENV: 'production' },
  {
    'store.url': 'sqlite::memory:',
    'channels.pager.url': pager.url,
    'channels.pager.allow_from': ['ann'],
  },
  import.meta.dirname,
  [PagerModule],
);
const root = GatewayModule.forRoot({ settings, modules: [PagerModule] });
const app = await NestFactory.create(root, createHttpAdapter(), { logger: false, forceCloseConnections: true });
app.useWebSocketAdapter(new GatewayWsAdapter(app));
await app.listen(0, '127.0.0.1');

pager.write('ann', '/blocks 2');
pager.write('eve', 'let me in');
await eventually(() => assert.deepEqual(pager.textsOf('ann'), ['block 1', 'block 2']));
await eventually(() => assert.match(pager.textsOf('eve')[0] ?? '', /Your code is [A-Z2-9]{8}/));
await eventually(() => assert.equal(pager.confirmed, 2));

await app.close();
pager.stop();
console.log('the pager answers');
