import type { BrowserContext } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';
import { expectTime } from '../support/expect-time.js';

const TOKEN = 'alice-token-0123456789abc';
const suite = useChat();
const bound = useChat({
  settings: { 'auth.tokens': [{ token: TOKEN, principal: 'alice', role: 'user', channels: ['webchat'] }] },
});

const MAX_SHELL_MS = 3_000;

/** Lets a test hide and show the page, which a headless browser always shows. */
const MAKE_HIDEABLE = `{
  let state = 'visible';
  Object.defineProperty(document, 'visibilityState', { get: () => state });
  globalThis.show = (next) => { state = next; document.dispatchEvent(new Event('visibilitychange')); };
}`;

const openHideable = async (context: BrowserContext) => {
  await context.addInitScript(MAKE_HIDEABLE);
  const page = await context.newPage();
  const sent: string[] = [];
  page.on('request', (request) => sent.push(request.url()));
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => sent.push((JSON.parse(String(payload)) as { type: string }).type)),
  );
  await page.clock.install();
  return { page, sent };
};

describe('a slow network', () => {
  it('[W-72] of 400 kbit/s and 400 ms shows the page within 3 s, and moves nothing that stands', async () => {
    const context = await suite.browser.newContext();
    await context.addInitScript(`{
      globalThis.shift = 0;
      const add = (list) => list.getEntries().forEach(({ value }) => (shift += value));
      new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });
    }`);
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    await network.send('Network.enable');
    const throughput = 400_000 / 8;
    await network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 400,
      downloadThroughput: throughput,
      uploadThroughput: throughput,
    });
    const begun = performance.now();
    await page.goto(`${suite.gateway.url}/chat`, { waitUntil: 'commit' });
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    expectTime(performance.now() - begun, MAX_SHELL_MS);
    await page.getByText('Hello, this is').waitFor();
    await page.getByRole('button', { name: 'Record a voice message' }).waitFor();
    expect(await page.evaluate('shift')).toBeLessThan(0.05);
    await context.close();
  });
});

describe('a hidden tab', () => {
  it('[W-72] asks for nothing while it is hidden, whatever page it is', async () => {
    const context = await bound.browser.newContext();
    const { page, sent } = await openHideable(context);
    await page.goto(`${bound.gateway.url}/chat`);
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByLabel('Token').press('Enter');
    await page.getByText('Hello, this is').waitFor();
    sent.length = 0;
    // A page whose session is not known asks for it while it is seen.
    await page.clock.runFor(6_000);
    await eventually(() => expect(sent).toContain('webchat.identify'));
    await page.evaluate("show('hidden')");
    sent.length = 0;
    await page.clock.runFor(60_000);
    expect(sent.filter((each) => each !== 'ping' && each !== 'presence')).toEqual([]);
    await page.evaluate("show('visible')");
    await page.clock.runFor(6_000);
    await eventually(() => expect(sent).toContain('webchat.identify'));
    await context.close();
  });
});

describe('eight tabs', () => {
  it('[W-72] are all connected, each shows what another writes, and go on when the first is closed', async () => {
    const context = await suite.browser.newContext();
    const first = await suite.openIn(context);
    await first.ask('/blocks 1');
    const others = [];
    for (let i = 0; i < 7; i++) others.push(await suite.openIn(context));
    for (const tab of others) await tab.said.getByText('/blocks 1', { exact: true }).waitFor();
    await first.page.close();
    await others[0]!.ask('/blocks 2', 2);
    for (const tab of others) {
      await tab.waitForConnection();
      await tab.blocks.getByText('block 2').waitFor();
    }
  });
});

describe('an on-screen keyboard', () => {
  const FAKE_VIEWPORT = `{
    const viewport = Object.assign(new EventTarget(), { height: innerHeight, scale: 1 });
    Object.defineProperty(globalThis, 'visualViewport', { get: () => viewport });
    globalThis.cover = (pixels, scale = 1) => {
      Object.assign(viewport, { height: innerHeight - pixels, scale });
      viewport.dispatchEvent(new Event('resize'));
    };
  }`;

  it('[W-21] that covers the page moves the composer above it, unless the page is zoomed or no field has the focus', async () => {
    const context = await suite.browser.newContext({ viewport: { width: 390, height: 844 } });
    await context.addInitScript(FAKE_VIEWPORT);
    const chat = await suite.openIn(context);
    await chat.waitForWelcome();
    const bottom = async () => {
      const box = await chat.page.locator('.app').boundingBox();
      return Math.round(box!.y + box!.height);
    };
    await chat.input.focus();
    await chat.page.evaluate('cover(300)');
    expect(await bottom()).toBe(544);
    await chat.page.evaluate('cover(80)');
    expect(await bottom()).toBe(844);
    await chat.page.evaluate('cover(300, 2)');
    expect(await bottom()).toBe(844);
    await chat.page.evaluate('cover(300)');
    await chat.page.getByRole('log').focus();
    expect(await bottom()).toBe(844);
  });
});

describe('an input method', () => {
  /** Presses a key that belongs to the input method of the focused element. */
  const composing = (key: string) => `document.activeElement.dispatchEvent(
    new KeyboardEvent('keydown', { key: '${key}', isComposing: true, bubbles: true, cancelable: true }))`;

  it('[W-43] keeps its keys: none is a command, sends a message, stops an answer or ends a name', async () => {
    const chat = await suite.open();
    await chat.say('/wait 60000');
    await chat.page.getByRole('button', { name: 'Stop the answer' }).waitFor();
    await chat.page.getByRole('log').focus();
    for (const key of ['/', 'n', '?', 'Escape', 'F2']) await chat.page.evaluate(composing(key));
    expect(await chat.page.evaluate("document.activeElement.getAttribute('role')")).toBe('log');
    await chat.input.fill('にほん');
    for (const key of ['Enter', 'Escape']) await chat.page.evaluate(composing(key));
    expect(await chat.input.inputValue()).toBe('にほん');
    await chat.input.fill('');
    await chat.input.press('F2');
    const naming = chat.page.getByRole('textbox', { name: 'Title of the conversation' });
    await naming.fill('とうきょう');
    for (const key of ['Enter', 'Escape']) await chat.page.evaluate(composing(key));
    expect(await naming.inputValue()).toBe('とうきょう');
    await naming.press('Escape');
    expect([await chat.said.count(), await chat.page.getByRole('dialog').count()]).toEqual([1, 0]);
    expect(await chat.replies.getByText('Stopped').count()).toBe(0);
  });
});
