import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { eventually } from '../support/eventually.js';
import { GatewayApp } from '../support/gateway-app.js';
import { findFaults } from '../support/page-checks.js';
import { startPathProxy, type PathProxy } from '../support/path-proxy.js';

const suite = useChat();

/** True if the live connections of a context are let through. */
interface Passage {
  isOpen: boolean;
}

async function openBehind(context: BrowserContext, path?: string, url?: string): Promise<[ChatPage, Passage]> {
  const passage = { isOpen: true };
  await context.routeWebSocket(/.*/, (socket) => {
    if (passage.isOpen) socket.connectToServer();
    else void socket.close();
  });
  return [await suite.openIn(context, path, url), passage];
}

const titles = (chat: ChatPage) => chat.page.locator('.groups .title');
const strip = (chat: ChatPage) => chat.page.locator('.strip');

describe('a page whose live connection does not open while the gateway answers', () => {
  it('[W-78] shows what is stored after a reload, says what is known, and sends once what was written meanwhile', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    const [chat, passage] = await openBehind(context);
    await chat.ask('A week in Lisbon');
    await chat.page.getByRole('button', { name: 'New conversation' }).click();
    await chat.waitForWelcome();
    await chat.ask('Numbers of the quarter');
    await chat.input.fill('half a thought');
    passage.isOpen = false;
    await chat.page.reload();

    await chat.connection.getByText('No live connection').waitFor();
    expect(await titles(chat).allInnerTexts()).toEqual(['Numbers of the quarter', 'A week in Lisbon']);
    expect(await chat.input.inputValue()).toBe('half a thought');
    await chat.page.getByText('The gateway has the messages of this conversation.').waitFor();
    await strip(chat).getByText('The gateway answers, but no live connection to it opens.').waitFor();
    await strip(chat).getByText('What you write is kept').waitFor();
    expect(await chat.page.content()).not.toContain('allowed_origins');
    await strip(chat).getByText('Likely causes').click();
    expect(await strip(chat).getByRole('listitem').first().innerText()).toContain('A proxy');
    expect(await findFaults(chat)).toEqual([]);

    await chat.say('Once only');
    await chat.page.getByText('Will be sent once there is a connection').waitFor();
    await chat.page.getByRole('link', { name: 'A week in Lisbon' }).click();
    await eventually(async () => expect(await chat.page.locator('.bar h1').innerText()).toBe('A week in Lisbon'));
    await chat.say('and taken back');
    await chat.page.getByRole('button', { name: 'Cancel' }).click();
    expect([await chat.said.count(), await chat.input.inputValue()]).toEqual([0, 'and taken back']);
    await chat.page.reload();
    await chat.connection.getByText('No live connection').waitFor();
    expect(await chat.input.inputValue()).toBe('and taken back');
    await chat.page.getByRole('link', { name: 'Numbers of the quarter' }).click();
    await chat.said.getByText('Once only').waitFor();

    passage.isOpen = true;
    await chat.tryNow();
    await chat.waitForEnds(2);
    expect(await chat.said.allInnerTexts()).toEqual(['Numbers of the quarter', 'Once only']);
    await eventually(async () =>
      expect(await strip(chat).allInnerTexts()).toEqual([expect.stringContaining('1 message sent')]),
    );
    await chat.page.reload();
    await chat.waitForEnds(2);
    expect(await chat.said.count()).toBe(2);
  });

  it('[W-78] shows nothing of a person who has signed out, also after a reload', async () => {
    const token = 'operator-token-0123456789';
    const gateway = await GatewayApp.start({ settings: { 'auth.token': token } });
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    const [chat, passage] = await openBehind(context, '/chat', gateway.url);
    await chat.page.getByLabel('Token').fill(token);
    await chat.page.getByLabel('Token').press('Enter');
    await chat.ask('For the operator alone');
    await chat.command('Sign out');
    passage.isOpen = false;
    await chat.page.reload();
    await chat.connection.getByText('No live connection').waitFor();
    expect(await chat.page.content()).not.toContain('For the operator alone');
    await gateway.close();
  });
});

describe('a page of an origin that the gateway does not allow', () => {
  let proxy: PathProxy;
  beforeAll(async () => void (proxy = await startPathProxy('/gw', () => suite.gateway.port)));
  afterAll(() => proxy.close());

  it('[W-78] names the origin and the setting, because the gateway has said so', async () => {
    const chat = await suite.open({}, proxy.url);
    const { origin } = new URL(proxy.url);
    await strip(chat).getByText(`The gateway refuses pages of ${origin}.`).waitFor();
    expect(await strip(chat).innerText()).toContain('gateway.allowed_origins');
    expect(await strip(chat).getByText('Likely causes').count()).toBe(0);
  });
});

describe('a page that is not complete yet', () => {
  it('[W-20] leaves a menu open that a person has opened before the conversation is known', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    const menuIsOpen = Promise.withResolvers<void>();
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      gateway.onMessage((message) => void menuIsOpen.promise.then(() => socket.send(message)));
    });
    const chat = await suite.openIn(context);
    await chat.page.locator('.head page-menu > button').click();
    const first = chat.page.getByRole('menuitem').first();
    await first.waitFor();
    menuIsOpen.resolve();
    await chat.waitForWelcome();
    // The menu would close one frame after the welcome.
    await chat.page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
    expect(await first.evaluate((item) => item === item.ownerDocument.activeElement)).toBe(true);
  });
});
