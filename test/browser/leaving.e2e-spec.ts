import type { BrowserContext } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { findFaults } from '../support/page-checks.js';

const TOKEN = 'operator-token-0123456789';
const DEPUTY = 'deputy-token-0123456789ab';
const suite = useChat({
  settings: {
    'auth.tokens': [
      { token: TOKEN, principal: 'operator', role: 'operator' },
      { token: DEPUTY, principal: 'deputy', role: 'operator' },
    ],
  },
});
const trayOf = (chat: ChatPage) => chat.page.getByRole('list', { name: 'Files to be sent' });
const dialogOf = (chat: ChatPage) => chat.page.locator('dialog.sign-out');
const NOTES = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('a line of text\n') };

async function signIn(chat: ChatPage, token = TOKEN): Promise<void> {
  await chat.page.getByLabel('Token').fill(token);
  await chat.page.getByLabel('Token').press('Enter');
  await chat.waitForConnection();
}

async function openSignedIn(context?: BrowserContext): Promise<ChatPage> {
  const chat = await suite.openIn(context ?? (await suite.browser.newContext({ reducedMotion: 'reduce' })));
  await signIn(chat);
  return chat;
}

/** Makes a storage of the browser refuse whatever is written, as one that is full does, once `fill()` is called. */
const fillable = (storage: 'localStorage' | 'sessionStorage') => `{
  const { setItem } = Storage.prototype;
  let isFull = sessionStorage.getItem('test.full') !== null;
  globalThis.fill = () => {
    isFull = true;
    setItem.call(sessionStorage, 'test.full', '1');
  };
  Storage.prototype.setItem = function (key, value) {
    if (isFull && this === ${storage}) throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    setItem.call(this, key, value);
  };
}`;

describe.concurrent('the files of a draft', () => {
  it('[W-77] are kept over a reload and a sign-out with Keep, from other people too, and go with the message', async () => {
    const chat = await openSignedIn();
    await chat.bring('drop', NOTES);
    await trayOf(chat).locator('[aria-busy=false]').waitFor();
    await chat.page.reload();
    await trayOf(chat).getByText('notes.txt').waitFor();
    await chat.command('Sign out');
    await dialogOf(chat).getByRole('heading', { name: 'You have drafts' }).waitFor();
    expect(await dialogOf(chat).innerText()).not.toContain('not kept');
    await dialogOf(chat).getByRole('button', { name: 'Keep in this tab' }).click();
    await signIn(chat, DEPUTY);
    await chat.waitForWelcome();
    expect(await trayOf(chat).count()).toBe(0);
    await chat.command('Sign out');
    await signIn(chat);
    await trayOf(chat).getByText('notes.txt').waitFor();
    await chat.ask('with notes');
    await chat.said.getByText('notes.txt').waitFor();
    await chat.page.reload();
    await chat.waitForEnds();
    expect(await trayOf(chat).count()).toBe(0);
  });

  it('[W-77] are gone after a sign-out with Discard', async () => {
    const chat = await openSignedIn();
    await chat.bring('drop', NOTES);
    await trayOf(chat).locator('[aria-busy=false]').waitFor();
    await chat.command('Sign out');
    await dialogOf(chat).getByRole('button', { name: 'Discard' }).click();
    await signIn(chat);
    await chat.waitForWelcome();
    expect(await trayOf(chat).count()).toBe(0);
    expect(await chat.page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('notes.txt');
  });

  it('[W-77] that are not uploaded are named as not kept', async () => {
    const chat = await openSignedIn();
    await chat.page.route('**/media', (route) => route.abort());
    await chat.bring('drop', NOTES);
    await trayOf(chat).getByText('Not uploaded').waitFor();
    await chat.command('Sign out');
    await dialogOf(chat).getByText('One file of a draft is not uploaded, so it is not kept.').waitFor();
    expect(await findFaults(chat)).toEqual([]);
    await dialogOf(chat).getByRole('button', { name: 'Stay signed in' }).click();
    await trayOf(chat).getByText('Not uploaded').waitFor();
  });
});

describe.concurrent('a browser whose storage is full', () => {
  it('[W-77] keeps drafts and messages only while the page stays open, and says so before it does', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    await context.addInitScript(fillable('sessionStorage'));
    let isDeaf = false;
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      socket.onMessage((message) => {
        if (!isDeaf || !/"type":"message_in"/.test(String(message))) gateway.send(message);
      });
    });
    const chat = await openSignedIn(context);
    await chat.waitForWelcome();
    await chat.page.evaluate('fill()');
    isDeaf = true;
    await chat.say('a message that waits');
    await chat.input.fill('a draft');
    await chat.bring('drop', NOTES);
    await trayOf(chat).locator('[aria-busy=false]').waitFor();
    await chat.command('Sign out');
    const warning = 'What you keep is lost when the page is reloaded or closed, or when another person signs in.';
    await dialogOf(chat).getByText(warning).waitFor();
    expect(await dialogOf(chat).getByRole('button', { name: 'Keep in this tab' }).count()).toBe(0);
    await dialogOf(chat).getByRole('button', { name: 'Keep while this page stays open' }).click();
    await signIn(chat);
    await chat.said.getByText('a message that waits').waitFor();
    expect(await chat.input.inputValue()).toBe('a draft');
    await trayOf(chat).getByText('notes.txt').waitFor();
    await chat.page.reload();
    await chat.page.getByLabel('Token').fill('none');
    await chat.page.getByLabel('Token').press('Enter');
    await chat.page.getByText('This is not a valid token').waitFor();
    expect(await findFaults(chat)).toEqual([]);
    await signIn(chat);
    await chat.waitForWelcome();
    expect(await chat.input.inputValue()).toBe('');
  });

  it('[W-77] for the list alone loses no message that waits: a reload shows and sends it', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    await context.addInitScript(fillable('localStorage'));
    let isDeaf = true;
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      socket.onMessage((message) => {
        if (!isDeaf || !/"type":"message_in"/.test(String(message))) gateway.send(message);
      });
    });
    const chat = await openSignedIn(context);
    await chat.waitForWelcome();
    await chat.page.evaluate('fill()');
    await chat.say('a message that waits');
    await chat.page.reload();
    await chat.said.getByText('a message that waits').waitFor();
    isDeaf = false;
    await chat.page.reload();
    await chat.waitForEnds();
    expect(await chat.said.allInnerTexts()).toEqual(['a message that waits']);
  });
});
