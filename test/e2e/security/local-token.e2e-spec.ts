import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, afterEach, expect, it } from 'vitest';
import { readLocalToken } from '../../../src/cli/local-token.js';
import { StartStopService } from '../../../src/core/lifecycle/start-stop.service.js';
import { GatewayApp, TOKENS, withTokens } from '../../support/gateway-app.js';

const folder = mkdtempSync(join(tmpdir(), 'local-token-'));
const path = join(folder, 'local.token');
const storeUrl = `sqlite:${join(folder, 'gateway.db')}`;
async function start(settings = {}): Promise<GatewayApp> {
  const started = await GatewayApp.start({ settings: { 'store.url': storeUrl, ...settings } });
  await started.app.get(StartStopService, { strict: false }).whenReady;
  return started;
}

let gateway: GatewayApp;
beforeEach(async () => void (gateway = await start({ 'tools.approvals': ['time.now'] })));
afterEach(() => gateway.close());
afterAll(() => rmSync(folder, { recursive: true }));

it('[X-45] is in a file beside the store that only its owner reads, for as long as the gateway runs', async () => {
  const first = readFileSync(path, 'utf8').trim();
  expect([first, statSync(path).mode & 0o777]).toEqual([gateway.localToken, 0o600]);
  expect(readLocalToken({ OPENCLAW_STORE_URL: storeUrl })).toBe(first);
  await gateway.close();
  expect(readLocalToken({ OPENCLAW_STORE_URL: storeUrl })).toBeUndefined();
  gateway = await start();
  expect(readFileSync(path, 'utf8').trim()).not.toBe(first);
});

it('[X-45] replaces the file of a gateway that was killed, and a gateway with credentials removes it', async () => {
  await gateway.close();
  writeFileSync(path, 'of-a-killed-gateway\n', { mode: 0o644 });
  gateway = await start();
  expect([readFileSync(path, 'utf8').trim(), statSync(path).mode & 0o777]).toEqual([gateway.localToken, 0o600]);
  await gateway.close();
  writeFileSync(path, 'of-a-killed-gateway\n');
  gateway = await start(withTokens);
  expect(() => statSync(path)).toThrow('ENOENT');
});

it('[X-45] is not read from a file with something else', () => {
  writeFileSync(path, 'not a token\n');
  expect(readLocalToken({ OPENCLAW_STORE_URL: storeUrl })).toBeUndefined();
});

it.each([
  ['GET', '/admin/v1/config'],
  ['PATCH', '/admin/v1/config'],
  ['GET', '/admin/v1/sessions/s_1'],
  ['GET', '/admin/v1/approvals'],
  ['GET', '/admin/v1/tools'],
  ['GET', '/admin/v1/models'],
  ['POST', '/mcp'],
])('[X-45] is needed for %s %s', async (method, route) => {
  const body = method === 'PATCH' ? { body: '{"version":0,"changes":{}}' } : {};
  const ask = async (headers: Record<string, string> = {}) => {
    const init = { method, headers: { 'content-type': 'application/json', ...headers }, ...body };
    return (await fetch(gateway.url + route, init)).status;
  };
  expect(await ask()).toBe(403);
  expect(await ask({ authorization: `Bearer ${TOKENS.operator}` })).toBe(403);
  expect(await ask({ authorization: `Bearer ${gateway.localToken}` })).not.toBe(403);
});

it('[X-45] is needed for a decision on an approval; without it `local` chats', async () => {
  const local = await gateway.connect('plain');
  local.send('message_in', { channel: 'test', sender: 'ann', content: '/tool time.now' });
  const { payload } = await local.next(({ payload: { status } }) => status === 'awaiting_approval');
  const { approval_id, arguments_sha256 } = payload['approval'] as Record<string, string>;
  const decision = { approval_id, decision: 'allow', arguments_sha256 };
  const refusal = await local.answerTo(local.send('approval', decision));
  expect(refusal).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
  (await gateway.connect('proven', gateway.localToken)).send('approval', decision);
  expect(await local.next('stream_end')).toMatchObject({ payload: { reason: 'stop' } });
});
