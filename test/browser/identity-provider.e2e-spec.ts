import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../../src/testing/free-port.js';
import { launchBrowser } from '../support/browser.js';
import { ChatPage } from '../support/chat-page.js';
import { waitForLive } from '../support/console-page.js';
import { eventually } from '../support/eventually.js';
import { GatewayApp } from '../support/gateway-app.js';
import { MovedClock } from '../support/moved-clock.js';
import { addressOf, findFaults } from '../support/page-checks.js';
import { TestProvider } from '../support/test-provider.js';

const MINUTE_MS = 60_000;

let browser: Browser;
let gateway: GatewayApp;
let provider: TestProvider;
let clock: MovedClock;
beforeAll(async () => void (browser = await launchBrowser()));
beforeEach(async () => {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  provider = await TestProvider.start(url);
  provider.groups.set('ada', ['users']);
  provider.groups.set('root', ['admins']);
  clock = new MovedClock();
  gateway = await GatewayApp.start({
    ...{ port, clock },
    settings: { 'gateway.public_url': url, 'auth.oidc': provider.setting },
  });
});
afterEach(async () => {
  await gateway.close();
  await provider.close();
});
afterAll(() => browser.close());

const providerButton = (page: Page) => page.getByRole('button', { name: 'Sign in with your organisation' });

/** Signs a person in at the identity provider, up to the way back. */
async function signIn(page: Page, name: string): Promise<void> {
  await providerButton(page).click();
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('x');
  await page.locator('button[type=submit]').click();
  // The page that asks for consent has a button too, and a click does not wait for it.
  await page.locator('input[name=login]').waitFor({ state: 'detached' });
  await page.locator('button[type=submit]').click();
}

describe('the chat with an identity provider', () => {
  it('[I-14] [I-17] signs a person in and out without a token in the page', async () => {
    const chat = await ChatPage.open(browser, gateway.url);
    const { page } = chat;
    await signIn(page, 'ada');
    await chat.input.fill('/status');
    await chat.input.press('Enter');
    await page.getByRole('log').getByText('/status').first().waitFor();
    expect(await addressOf(page)).toMatch(/\/chat(#.*)?$/);
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.reload();
    await chat.input.waitFor();
    await chat.command('Sign out');
    await page.waitForURL(/\/session\/end/);
    await page.goto(`${gateway.url}/chat`);
    await providerButton(page).waitFor();
    expect([chat.complaints.errors, chat.complaints.violations]).toEqual([[], []]);
  });
});

describe('the console with an identity provider', () => {
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();

  it('[CO-01] signs an operator in and out without a token in the page, and back to the place of the address', async () => {
    const chat = await ChatPage.open(browser, gateway.url, {}, '/console/dead-letters?kind=reply');
    const { page } = chat;
    await signIn(page, 'root');
    await heading(page, 'Dead letters');
    await waitForLive(page);
    expect(await addressOf(page)).toBe(`${gateway.url}/console/dead-letters?kind=reply`);
    expect(await page.evaluate('[document.cookie, sessionStorage.length, localStorage.length].join()')).toBe(',0,0');
    await page.locator('.bar page-menu > button').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.waitForURL(/\/session\/end/);
    await page.locator('button[value=yes]').click();
    await page.waitForURL(`${gateway.url}/chat`);
    await page.goto(`${gateway.url}/console`);
    await providerButton(page).click();
    // Signed out at the provider too: it asks for a name again.
    await page.locator('input[name=login]').waitFor();
    expect([chat.complaints.errors, chat.complaints.violations]).toEqual([[], []]);
  });

  it('[CO-01] [I-15] stays signed in for hours, and says so when the provider ends the access', async () => {
    const { page } = await ChatPage.open(browser, gateway.url, {}, '/console/queue');
    await signIn(page, 'root');
    await heading(page, 'Queue');
    provider.idTokenLifetimeS = 9 * 3_600;
    clock.aheadMs = 45 * MINUTE_MS;
    await page.keyboard.press('r');
    await eventually(() => expect(provider.refreshes).toBe(1));
    clock.aheadMs = 120 * MINUTE_MS;
    const read = page.waitForResponse((response) => response.url().includes('/admin/v1/queue'));
    await page.keyboard.press('r');
    expect((await read).status()).toBe(200);
    provider.groups.delete('root');
    clock.aheadMs = 600 * MINUTE_MS;
    await page.keyboard.press('r');
    await page.getByText('Your access has ended').waitFor();
    provider.idTokenLifetimeS = 20 * 3_600;
    await providerButton(page).click();
    await page.getByText('no mapped group').waitFor();
    provider.groups.set('root', ['admins']);
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await heading(page, 'Queue');
    await waitForLive(page);
  });

  it('[CO-01] [I-17] says in all its tabs that the access has ended when the person signs out in the chat', async () => {
    const first = await ChatPage.open(browser, gateway.url, {}, '/console/queue');
    await signIn(first.page, 'root');
    await waitForLive(first.page);
    const second = await ChatPage.openIn(first.context, gateway.url, '/console');
    await waitForLive(second.page);
    const chat = await ChatPage.openIn(first.context, gateway.url);
    await chat.input.waitFor();
    await chat.command('Sign out');
    for (const { page } of [first, second]) {
      await page.getByText('Your access has ended').waitFor();
      await providerButton(page).waitFor();
      await page.getByText('Not live: signed out').waitFor();
    }
    expect([first.complaints.errors, second.complaints.errors]).toEqual([[], []]);
  });

  it('[CO-01] [I-17] says so over an open dialog too, when the person signs out at the provider', async () => {
    const { page, context } = await ChatPage.open(browser, gateway.url, {}, '/console/queue');
    await signIn(page, 'root');
    await waitForLive(page);
    await page.keyboard.press('?');
    await page.locator('dialog[open]').waitFor();
    const elsewhere = await context.newPage();
    await elsewhere.goto(`${provider.issuer}/session/end`);
    await elsewhere.locator('button[value=yes]').click();
    await page.getByText('Your access has ended').waitFor();
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    await providerButton(page).click();
    await page.locator('input[name=login]').waitFor();
  });

  it('[CO-01] [I-18] says that the identity provider cannot be reached, and goes on when it can', async () => {
    const { page, context } = await ChatPage.open(browser, gateway.url, {}, '/console/queue');
    await signIn(page, 'root');
    await waitForLive(page);
    const chat = await ChatPage.openIn(context, gateway.url);
    await chat.input.waitFor();
    provider.isDown = true;
    clock.aheadMs = 65 * MINUTE_MS;
    await page.keyboard.press('r');
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    expect(await page.getByText('identity provider').count()).toBe(0);
    clock.aheadMs = 72 * MINUTE_MS;
    await page.keyboard.press('r');
    await page.getByText('The identity provider cannot be reached').first().waitFor();
    await chat.page.reload();
    await chat.page.getByText('The identity provider cannot be reached').waitFor();
    expect(await chat.page.getByText('Likely causes').count()).toBe(0);
    provider.isDown = false;
    provider.idTokenLifetimeS = 9 * 3_600;
    clock.aheadMs = 74 * MINUTE_MS;
    await chat.tryNow();
    await page.keyboard.press('r');
    await chat.page.getByText('The identity provider cannot be reached').waitFor({ state: 'detached' });
    await waitForLive(page);
  });

  it('[CO-01] says what to do when the provider is down at a sign-in', async () => {
    clock.aheadMs = 120 * MINUTE_MS;
    await provider.close();
    const chat = await ChatPage.open(browser, gateway.url, {}, '/console');
    const { page } = chat;
    await providerButton(page).click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await page.getByText('cannot be reached now. Wait a minute, then sign in again.').waitFor();
    expect(await findFaults(chat)).toEqual([]);
    await page.getByRole('link', { name: 'to sign in with a token' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await addressOf(page)).toBe(`${gateway.url}/console`);
    provider = await TestProvider.start(gateway.url);
  });
});
