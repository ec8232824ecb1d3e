// Runs the driver in a process of its own, kills it in the middle of a reply, and asserts what people see:
// `node dist/check-driver.js`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createHttpAdapter, GatewayModule, GatewayWsAdapter, loadSettings } from 'openclaw-gateway-nest';
import { eventually, PagerService } from './pager-service.js';

const TOKEN = 'pager-token-0123456789abc';
const folder = mkdtempSync(join(tmpdir(), 'pager-'));
const pager = new PagerService();
await pager.start();

const tokens = [{ token: TOKEN, principal: 'pagers', role: 'channel', channels: ['pager'] }];
const settings = loadSettings(
  { NODE_ENV: 'production' },
  { 'store.url': 'sqlite::memory:', 'auth.tokens': tokens },
  folder,
);
const root = GatewayModule.forRoot({ settings });
const app = await NestFactory.create(root, createHttpAdapter(), { logger: false, forceCloseConnections: true });
app.useWebSocketAdapter(new GatewayWsAdapter(app));
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as AddressInfo;

function startDriver() {
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    OPENCLAW_LOG_LEVEL: 'warn',
    OPENCLAW_DRIVER_GATEWAY_URL: `ws://127.0.0.1:${port}`,
    OPENCLAW_DRIVER_TOKEN: TOKEN,
    OPENCLAW_STORE_URL: `sqlite:${join(folder, 'driver.db')}`,
    OPENCLAW_CHANNELS_PAGER_URL: pager.url,
    OPENCLAW_CHANNELS_PAGER_ALLOW_FROM: '["ann"]',
  };
  const script = join(import.meta.dirname, 'driver.js');
  return spawn(process.execPath, [script], { cwd: folder, env, stdio: 'inherit' });
}

let driver = startDriver();
pager.write('ann', '/blocks 4 300');
await eventually(() => assert.deepEqual(pager.textsOf('ann').slice(0, 1), ['block 1']));
driver.kill('SIGKILL');
await once(driver, 'exit');
pager.write('ann', 'are you there');
driver = startDriver();
await eventually(() => assert.match(pager.textsOf('ann').at(-1) ?? '', /are you there/));
assert.deepEqual(pager.textsOf('ann').slice(0, 4), ['block 1', 'block 2', 'block 3', 'block 4']);
assert.equal(pager.textsOf('ann').length, 5);

driver.kill('SIGTERM');
const [code] = (await once(driver, 'exit')) as [number];
assert.equal(code, 0);
await app.close();
pager.stop();
rmSync(folder, { recursive: true });
console.log('the pager answers, whatever dies');
