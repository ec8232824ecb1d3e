import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { listProcessesOf, listRunsIn, TestSite } from '../support/tool-browser.js';

let folder: string;
let root: string;
let site: TestSite;
const gateways: GatewayProcess[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'leftovers-'));
  root = join(folder, 'data', 'browser');
  site = await TestSite.start();
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.end();
  for (const pid of listProcessesOf(root)) process.kill(pid, 'SIGKILL');
  await site.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<GatewayProcess> {
  const env = {
    OPENCLAW_TOOLS_BROWSER_ENABLED: 'true',
    OPENCLAW_TOOLS_BROWSER_EXECUTABLE: await findBrowser(),
    OPENCLAW_TOOLS_BROWSER_ALLOW_HOSTS: JSON.stringify([site.host]),
    OPENCLAW_TOOLS_DEFAULT_PERMISSIONS: '["browser"]',
    ...(process.env['LD_LIBRARY_PATH'] === undefined ? {} : { LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'] }),
  };
  const gateway = new GatewayProcess({ folder, env });
  gateways.push(gateway);
  await gateway.port;
  return gateway;
}

/** Opens a page in the browser of a gateway, and resolves with the result. */
async function openPage(gateway: GatewayProcess, url: string): Promise<string> {
  const client = await gateway.connect('test');
  const content = `/tool browser.open ${JSON.stringify({ url })}`;
  client.send('message_in', { channel: 'test', sender: 'ann', content });
  const block = await client.next((frame) => frame.payload['block_type'] === 'tool_result');
  client.socket.terminate();
  return String(block.payload['content']);
}

it('[U-10] after kill -9 of the gateway the next start removes its browser, even one that stands still, and its folder', async () => {
  const url = site.page('/plain', '<h1>Plain</h1>');
  const first = await start();
  expect(await openPage(first, url)).toContain('Plain');
  const processes = listProcessesOf(root);
  expect([processes.length > 0, listRunsIn(root).length]).toEqual([true, 1]);
  // It cannot notice that the gateway is gone.
  for (const pid of processes) process.kill(pid, 'SIGSTOP');
  first.kill();
  await first.exited;
  expect(listProcessesOf(root).length).toBeGreaterThan(0);
  const second = await start();
  await eventually(() => expect([listProcessesOf(root), listRunsIn(root)]).toEqual([[], []]));
  expect(await openPage(second, url)).toContain('Plain');
  second.kill('SIGTERM');
  await second.exited;
  expect([listProcessesOf(root), listRunsIn(root)]).toEqual([[], []]);
});
