import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import type { FrameClient } from '../support/frame-client.js';
import { callTool, NodeApp, OPERATOR, resultOf } from '../support/node-app.js';
import { addressOf, findBarriers } from '../support/page-checks.js';

/** The Chromium of the tests has no camera, not even a fake one: a drawing that changes takes its place. */
const FAKE_CAMERA = `navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 480];
  const drawing = canvas.getContext('2d');
  setInterval(() => {
    drawing.fillStyle = '#' + Math.random().toString(16).slice(2, 8);
    drawing.fillRect(0, 0, 320, 480);
  }, 20);
  return (globalThis.taken = canvas.captureStream(30));
}`;

let browser: Browser;
let app: NodeApp;
let context: BrowserContext;
let page: Page;
let person: FrameClient;
let problems: string[];

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  app = await NodeApp.start({ settings: { 'tools.default_permissions': ['node', 'node:phone'] } });
  person = await app.person();
  context = await browser.newContext({ geolocation: { latitude: 47.5, longitude: 9.25 } });
  page = await context.newPage();
  problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
});
afterEach(async () => {
  await context.close();
  await app.close();
});

/** Opens the link of a pairing and pairs. */
async function pair(): Promise<void> {
  const code = await app.invite({ name: 'Phone' });
  await page.goto(`${app.url}/node#pair=${code}`);
  expect(await page.locator('input[name=code]').inputValue()).toBe(code);
  expect(await addressOf(page)).toBe(`${app.url}/node`);
  await page.locator('input[name=name]').fill('Anything');
  await page.getByRole('button', { name: 'Pair' }).click();
  await page.locator('[data-state=registered]').waitFor();
}

async function call(command: string, parameters: object = {}): Promise<Record<string, unknown>> {
  callTool(person, `node.phone.${command}`, parameters);
  return resultOf(person);
}

/** Sets whether the page is in front, as a browser reports it. */
async function setVisibility(state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' });
     document.dispatchEvent(new Event('visibilitychange'))`,
  );
}

describe('the page for devices', () => {
  it('[F-14] pairs by the code of its link, and takes a picture whose camera is off afterwards', async () => {
    await context.grantPermissions(['camera'], { origin: app.url });
    await pair();
    await page.evaluate(FAKE_CAMERA);
    const { status, content } = await call('camera.snap');
    expect({ status, content }).toMatchObject({ status: 'succeeded', content: { mime_type: 'image/jpeg' } });
    const { media_id } = content as { media_id: string };
    const picture = await fetch(`${app.url}/media/${media_id}`, { headers: { authorization: `Bearer ${OPERATOR}` } });
    expect((await picture.arrayBuffer()).byteLength).toBeGreaterThan(1_000);
    expect(await page.evaluate('taken.getTracks().map(({ readyState }) => readyState)')).toEqual(['ended']);
    await page.getByText('camera.snap').waitFor();
    expect(problems).toEqual([]);
  });

  it('[F-14] reports its position, and is the same device after a reload', async () => {
    await context.grantPermissions(['geolocation'], { origin: app.url });
    await pair();
    expect(await call('location.get')).toMatchObject({ content: { latitude: 47.5, longitude: 9.25 } });
    await page.reload();
    await page.locator('[data-state=registered]').waitFor();
    expect(await call('location.get')).toMatchObject({ status: 'succeeded' });
    expect(await (await app.admin('GET')).json()).toMatchObject({ items: [{ id: 'phone', platform: 'browser' }] });
  });

  it('[F-14] says at once that a permission was denied, and how to undo it', async () => {
    await pair();
    await page.evaluate(`navigator.permissions.query = async () => ({ state: 'denied' })`);
    expect(await call('camera.snap')).toMatchObject({
      ok: false,
      content: {
        message: expect.stringContaining(
          'PERMISSION_DENIED: Camera is denied: a person has to allow it in the settings',
        ),
      },
    });
  });

  it('[F-14] serves nothing while it is not in front, and says so at once', async () => {
    await context.grantPermissions(['geolocation'], { origin: app.url });
    await pair();
    await setVisibility('hidden');
    await expect
      .poll(async () => ((await (await app.admin('GET')).json()) as { items: { state: string }[] }).items[0]?.state)
      .toBe('hidden');
    expect(await call('location.get')).toMatchObject({
      content: { message: expect.stringContaining('the page is not in front on Phone') },
    });
    await setVisibility('visible');
    await expect.poll(async () => (await call('location.get'))['status']).toBe('succeeded');
  });

  it('[F-14] is one device in all tabs of a browser, and the next tab takes the place of one that is closed', async () => {
    await pair();
    const others = [await context.newPage(), await context.newPage()];
    for (const other of others) {
      await other.goto(`${app.url}/node`);
      await other.getByText('This device is open in another tab of this browser.').waitFor();
    }
    const becoming = others.map(async (other) => {
      await other.locator('[data-state=registered]').waitFor();
      return other;
    });
    await page.close();
    page = await Promise.race(becoming);
    await page.close();
    await Promise.all(becoming);
  });

  it('[F-14] says that a browser which keeps no data cannot be a device', async () => {
    await page.addInitScript("indexedDB.open = () => { throw new DOMException('denied', 'SecurityError'); }");
    await page.goto(`${app.url}/node`);
    await page.getByText('This browser keeps no data of this page').waitFor();
  });

  it('[F-14] says what is wrong with a code, and pairs with another', async () => {
    await page.goto(`${app.url}/node`);
    await page.locator('input[name=code]').fill('00000-00000');
    await page.getByRole('button', { name: 'Pair' }).click();
    await page.getByText('This code is wrong, was used before, or has expired.').waitFor();
    await page.locator('input[name=code]').fill((await app.invite({ name: 'Phone' })).toLowerCase());
    await page.getByRole('button', { name: 'Pair' }).click();
    await page.locator('[data-state=registered]').waitFor();
  });

  it('[F-14] stops when it is revoked', async () => {
    await pair();
    await app.admin('DELETE', '/phone');
    await page.getByText('The gateway does not accept this device any more.').waitFor();
    await page.getByRole('button', { name: 'Forget this device' }).click();
    await page.locator('input[name=code]').waitFor();
  });

  it('[F-14] has a strict policy, and permissions for what it offers alone', async () => {
    const { headers } = await fetch(`${app.url}/node`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('permissions-policy')).toBe('camera=(self), geolocation=(self), microphone=()');
    expect((await fetch(`${app.url}/node/`, { redirect: 'manual' })).headers.get('location')).toBe('../node');
  });

  it('[F-14] has no faults of access, with the form and paired', async () => {
    await page.close();
    const open = await browser.newContext();
    page = await open.newPage();
    const code = await app.invite({ name: 'Phone' });
    await page.goto(`${app.url}/node#pair=${code}`);
    await page.locator('input[name=code]').waitFor();
    expect(await findBarriers({ page })).toEqual([]);
    await page.getByRole('button', { name: 'Pair' }).click();
    await page.locator('[data-state=registered]').waitFor();
    expect(await findBarriers({ page })).toEqual([]);
    await open.close();
  });
});
