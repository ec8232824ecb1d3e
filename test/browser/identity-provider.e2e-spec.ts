import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { ChatPage } from '../support/chat-page.js';
import { GatewayApp } from '../support/gateway-app.js';
import { TestProvider } from '../support/test-provider.js';

describe('the chat with an identity provider', () => {
  let browser: Browser;
  let gateway: GatewayApp;
  let provider: TestProvider;
  beforeAll(async () => {
    const place = createServer().listen(0, '127.0.0.1');
    await once(place, 'listening');
    const { port } = place.address() as AddressInfo;
    place.close();
    await once(place, 'close');
    const url = `http://127.0.0.1:${port}`;
    provider = await TestProvider.start(url);
    provider.groups.set('ada', ['users']);
    gateway = await GatewayApp.start({ port, settings: { 'gateway.public_url': url, 'auth.oidc': provider.setting } });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
    await provider.close();
  });

  it('[I-14] [I-17] signs a person in and out without a token in the page', async () => {
    const chat = await ChatPage.open(browser, gateway.url);
    const { page } = chat;
    await page.getByRole('button', { name: 'Sign in with your organisation' }).click();
    await page.locator('input[name=login]').fill('ada');
    await page.locator('input[name=password]').fill('x');
    await page.locator('button[type=submit]').click();
    await page.locator('button[type=submit]').click();
    await chat.input.fill('/status');
    await chat.input.press('Enter');
    await page.getByRole('log').getByText('/status').first().waitFor();
    expect(page.url()).toMatch(/\/chat(#.*)?$/);
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.reload();
    await chat.input.waitFor();
    await chat.command('Sign out');
    await page.waitForURL(/\/session\/end/);
    await page.goto(`${gateway.url}/chat`);
    await page.getByRole('button', { name: 'Sign in with your organisation' }).waitFor();
    expect([chat.complaints.errors, chat.complaints.violations]).toEqual([[], []]);
  });
});
