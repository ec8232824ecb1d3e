import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useChat } from '../support/chat-page.js';
import { consoleSettings, CONSOLE_TOKENS, openConsole, say, waitForLive } from '../support/console-page.js';
import type { FrameClient } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';

const suite = useChat({ settings: consoleSettings });
let driver: FrameClient;

beforeAll(async () => {
  driver = await suite.gateway.connect('c', CONSOLE_TOKENS.driver);
  for (const sender of ['alice', 'bob']) await say(driver, 'hello', sender);
});

describe('a live list', () => {
  it('[CO-11] changes rows in place and only counts new ones, so that nothing moves under a pointer', async () => {
    const { page } = await openConsole(suite, '/sessions');
    const rows = () => page.locator('.spacer .row a').allInnerTexts();
    await expect.poll(rows).toEqual(['bob', 'alice']);
    await waitForLive(page);
    const bob = page.getByRole('row', { name: /bob/ });
    await bob.hover();
    const place = await bob.boundingBox();
    const busy = driver.send('message_in', { channel: 'test', sender: 'alice', content: '/wait 60000' });
    await driver.answerTo(busy);
    await page.getByRole('row', { name: /alice/ }).getByText('running').waitFor();
    for (const sender of ['n1', 'n2', 'n3']) await say(driver, 'hello', sender);
    await page.getByRole('button', { name: '3 new' }).waitFor();
    expect(await rows()).toEqual(['bob', 'alice']);
    expect((await bob.boundingBox())?.x).toBe(place?.x);
    await page.getByRole('button', { name: '3 new' }).click();
    await expect.poll(rows).toEqual(['n3', 'n2', 'n1', 'bob', 'alice']);
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('n3');
  });

  it('[CO-11] is paused and goes on by a press, and then shows what came meanwhile', async () => {
    const { page } = await openConsole(suite, '/sessions');
    await waitForLive(page);
    await page.getByRole('button', { name: 'Live' }).click();
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    await say(driver, 'hello', 'unseen');
    expect(await page.getByRole('link', { name: 'unseen' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Paused' }).click();
    await page.getByRole('link', { name: 'unseen' }).waitFor();
    await waitForLive(page);
  });

  it('[CO-12] draws only the rows in sight of ten thousand, and leads to the last one', async () => {
    const { page } = await openConsole(suite);
    await page.route('**/admin/v1/sessions*', (route) =>
      route.fulfill({
        json: {
          items: Array.from({ length: 10_000 }, (_, i) => ({
            ...{ id: `s_${i}`, mode: 'main', channel: 'test', agent: 'main', key: [`person ${i}`] },
            ...{ created_at: i, last_active: i, tool_permissions: [], explicit_activation: false },
          })),
        },
      }),
    );
    await page.getByRole('link', { name: 'Conversations' }).click();
    const table = page.getByRole('table', { name: 'Conversations' });
    await table.getByRole('link', { name: 'person 0', exact: true }).waitFor();
    expect(await table.getAttribute('aria-rowcount')).toBe('10001');
    expect(await table.getByRole('row').count()).toBeLessThan(80);
    await page.keyboard.press('k');
    await table.getByRole('link', { name: 'person 9999' }).waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('person 9999');
    expect(await page.getByRole('row', { name: /person 9999/ }).getAttribute('aria-rowindex')).toBe('10001');
  });
});

describe('eight tabs of a browser', () => {
  it('[CO-13] share one stream of events, and each is live', async () => {
    const first = await openConsole(suite, '/sessions');
    const others = await Promise.all(Array.from({ length: 7 }, () => suite.openIn(first.context, '/console/sessions')));
    const all = [first, ...others];
    // Chromium counts every tab of a test as visible.
    for (const { page } of all) await waitForLive(page);
    await say(driver, 'hello', `for-all`);
    for (const { page } of all) await page.getByRole('button', { name: '1 new' }).waitFor();
    const streams = all.map(({ complaints }) => complaints.requests.filter((url) => url.endsWith('/events')).length);
    expect(streams.reduce((sum, count) => sum + count)).toBe(1);
  });
});

describe('a gateway that is killed', () => {
  let folder: string;
  let gateway: GatewayApp;
  const settings = () => ({ ...consoleSettings, 'store.url': `sqlite:${join(folder, 'gateway.db')}` });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'openclaw-console-'));
    gateway = await GatewayApp.start({ settings: settings() });
  });
  afterAll(async () => {
    await gateway.close();
    rmSync(folder, { recursive: true });
  });

  it('[CO-14] leaves what was shown, with its age, until the console is back by itself and has missed nothing', async () => {
    await say(await gateway.connect('c', CONSOLE_TOKENS.driver), 'hello', 'before');
    const { page } = await openConsole(suite, '/sessions', { url: gateway.url });
    const rows = () => page.locator('.spacer .row a').allInnerTexts();
    await expect.poll(rows).toEqual(['before']);
    await waitForLive(page);
    await gateway.close();
    await page.getByRole('button', { name: /^Reconnecting, data from \d\d:\d\d:\d\d$/ }).waitFor();
    await page.keyboard.press('r');
    await page.getByText('The list could not be read: The gateway could not be reached.').waitFor();
    expect(await rows()).toEqual(['before']);
    gateway = await GatewayApp.start({ settings: settings(), port: gateway.port });
    await waitForLive(page);
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
    await say(await gateway.connect('c', CONSOLE_TOKENS.driver), 'hello', 'after');
    await page.getByRole('button', { name: '1 new' }).click();
    await expect.poll(rows).toEqual(['after', 'before']);
  });
});
