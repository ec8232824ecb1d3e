import { afterAll, beforeAll, expect, it } from 'vitest';
import { useChat } from '../support/chat-page.js';
import { GatewayApp } from '../support/gateway-app.js';
import { addressOf } from '../support/page-checks.js';
import { startPathProxy, type PathProxy } from '../support/path-proxy.js';

const TOKEN = 'operator-token-0123456789';
/** A picture of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const suite = useChat();
let gateway: GatewayApp;
let proxy: PathProxy;
beforeAll(async () => {
  proxy = await startPathProxy('/tools/gw', () => gateway.port);
  const origin = new URL(proxy.url).origin;
  gateway = await GatewayApp.start({ settings: { 'auth.token': TOKEN, 'gateway.allowed_origins': [origin] } });
});
afterAll(async () => {
  await proxy.close();
  await gateway.close();
});

it('[W-28] works below a path of a proxy: its files, sign-in, messages, pictures and diagrams', async () => {
  const chat = await suite.open({}, proxy.url, await gateway.makeLink());
  await chat.waitForConnection();
  await chat.page.locator('input[type=file]').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: PIXEL });
  const tray = chat.page.getByRole('list', { name: 'Files to be sent' });
  await tray.locator('[aria-busy=false]').waitFor();
  await chat.ask('/blocks 1');
  await chat.said.getByRole('img', { name: 'dot.png' }).waitFor();
  await chat.ask('```mermaid\ngraph TD\n  A --> B\n```', 2);
  await chat.page.getByRole('img', { name: 'Diagram' }).waitFor();
  const address = await addressOf(chat.page);
  expect(new URL(address).pathname + new URL(address).hash).toMatch(/^\/tools\/gw\/chat#conversation=s_/);
  await chat.page.reload();
  await chat.waitForEnds(2);
  expect(await addressOf(chat.page)).toBe(address);
  expect(chat.complaints.requests.filter((url) => !new URL(url).pathname.startsWith('/tools/gw/'))).toEqual(
    chat.complaints.requests.filter((url) => url.startsWith('blob:')),
  );
  expect([proxy.strays, chat.complaints.errors, chat.complaints.violations]).toEqual([[], [], []]);
});

it('[W-28] leads from an address with a slash at its end to the page', async () => {
  const chat = await suite.open({}, proxy.url, '/chat/');
  await chat.page.getByLabel('Token').waitFor();
  expect(new URL(await addressOf(chat.page)).pathname).toBe('/tools/gw/chat');
  expect(proxy.strays).toEqual([]);
});
