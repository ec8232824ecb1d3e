import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { ListingServer } from '../support/listing-server.js';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { findBarriers } from '../support/page-checks.js';

const KEY = 'sk-a-secret-of-the-test';

const suite = useChat();
let gateway: GatewayApp;
let server: ListingServer;
beforeEach(async () => {
  server = await ListingServer.start([{ id: 'small' }, { id: 'big' }], 'Hello to you.');
  gateway = await GatewayApp.start({ settings: withTokens });
});
afterEach(async () => {
  server.stop();
  await gateway.close();
});

const modelOf = () => gateway.app.get(ConfigStoreService, { strict: false }).get('agent.model');
const summaryOf = (chat: ChatPage) => chat.page.locator('.no-model summary');
const fieldOf = (chat: ChatPage, name: string) => chat.page.getByLabel(name, { exact: true });

async function openAs(token: string, options: Parameters<typeof suite.open>[0] = {}): Promise<ChatPage> {
  const chat = await suite.open(options, gateway.url);
  await signIn(chat, token);
  return chat;
}

async function signIn(chat: ChatPage, token: string): Promise<void> {
  await chat.page.getByLabel('Token').fill(token);
  await chat.page.getByLabel('Token').press('Enter');
  await chat.waitForWelcome();
}

/** Fills the form for the model `small` of a server. */
async function describeServer(chat: ChatPage, address = server.url): Promise<void> {
  await summaryOf(chat).click();
  await fieldOf(chat, 'Provider').selectOption('Another server, by its address');
  await fieldOf(chat, 'Address of its API').fill(address);
  await fieldOf(chat, 'Key').fill(KEY);
  await fieldOf(chat, 'Model').fill('small');
}

const submit = (chat: ChatPage) => chat.page.getByRole('button', { name: 'Try it and use it' }).click();

describe('a gateway without a model', () => {
  it('[W-73] lets an operator set one up by keyboard: it is asked a question, saved, and answers from then on', async () => {
    const chat = await openAs(TOKENS.owner);
    await summaryOf(chat).focus();
    await chat.page.keyboard.press('Enter');
    await fieldOf(chat, 'Provider').waitFor();
    await fieldOf(chat, 'Provider').press('End');
    for (const text of [server.url, KEY, 'small']) {
      await chat.page.keyboard.press('Tab');
      await chat.page.keyboard.type(text);
    }
    await chat.page.keyboard.press('Enter');
    await chat.page.getByText('local/small answers from now on: “Hello to you.”').waitFor();
    expect(modelOf()).toBe('local/small');
    expect(server.asked[0]?.authorization).toBe(`Bearer ${KEY}`);
    await summaryOf(chat).waitFor({ state: 'detached' });
    await chat.ask('Are you there?');
    await chat.blocks.getByText('Hello to you.').waitFor();
    expect(await chat.page.content()).not.toContain(KEY);
    const kept = await chat.page.evaluate(
      'JSON.stringify([localStorage, sessionStorage, location.href, history.state])',
    );
    expect(kept).not.toContain(KEY);
    expect(chat.complaints.requests.join(' ')).not.toContain(KEY);
  });

  it('[W-73] loads the form only when it is opened, and forgets the key when it is closed', async () => {
    const chat = await openAs(TOKENS.owner);
    const isLoaded = () => chat.complaints.requests.some((url) => url.includes('setup-card'));
    expect(isLoaded()).toBe(false);
    await describeServer(chat);
    expect(isLoaded()).toBe(true);
    await summaryOf(chat).click();
    await summaryOf(chat).click();
    expect(await fieldOf(chat, 'Key').inputValue()).toBe('');
  });

  it('[W-73] looks for model servers only while the form is open', async () => {
    const chat = await openAs(TOKENS.owner);
    await describeServer(chat);
    const listSearches = () => chat.complaints.requests.filter((url) => url.includes('/admin/v1/'));
    const searches = listSearches();
    await chat.ask('/status');
    await chat.page.getByRole('button', { name: 'New conversation' }).click();
    await summaryOf(chat).waitFor();
    await chat.ask('/status');
    expect(listSearches()).toEqual(searches);
  });

  it('[W-73] says why nothing was set up: a refused key, a provider that is down, what is missing', async () => {
    const refusing = await ListingServer.start([]);
    const chat = await openAs(TOKENS.owner);
    await describeServer(chat, 'nowhere');
    await submit(chat);
    await chat.page.getByText('This is not the address of an API').waitFor();
    expect(await fieldOf(chat, 'Address of its API').evaluate((field) => field.matches(':focus'))).toBe(true);
    await fieldOf(chat, 'Address of its API').fill(refusing.url);
    await submit(chat);
    const problem = chat.page.getByRole('alert').filter({ hasText: 'Nothing was changed' });
    await problem.getByText('refuses the credential').waitFor();
    await fieldOf(chat, 'Address of its API').fill('http://127.0.0.1:9/v1');
    await submit(chat);
    await problem.getByText('cannot be reached').waitFor();
    await fieldOf(chat, 'Provider').selectOption('anthropic, with a key');
    await fieldOf(chat, 'Model').fill('claude');
    await submit(chat);
    await chat.page.getByText('Enter the key of this provider.').waitFor();
    expect(modelOf()).toBeUndefined();
    refusing.stop();
  });

  it('[W-73] changes nothing when the question is cancelled', async () => {
    const chat = await openAs(TOKENS.owner);
    await chat.page.route('**/admin/v1/models/test', () => {});
    await describeServer(chat);
    await submit(chat);
    await chat.page.getByText('Asking small one question').waitFor();
    await chat.page.getByRole('button', { name: 'Cancel' }).click();
    await chat.page.getByText('Cancelled. Nothing was changed.').waitFor();
    expect([modelOf(), await fieldOf(chat, 'Key').inputValue()]).toEqual([undefined, KEY]);
  });

  it('[W-73] of which another tab sets up the model first keeps that one, and says so', async () => {
    const chat = await openAs(TOKENS.owner);
    const other = await suite.openIn(chat.context, '/chat', gateway.url);
    await signIn(other, TOKENS.owner);
    await describeServer(chat);
    await describeServer(other);
    await submit(chat);
    await chat.page.getByText('local/small answers from now on').waitFor();
    await fieldOf(other, 'Model').fill('big');
    await submit(other);
    await other.page.getByText('A model has been set up. It answers from now on.').waitFor();
    await summaryOf(other).waitFor({ state: 'detached' });
    expect(modelOf()).toBe('local/small');
  });

  it('[W-73] shows other people that there is none and who can set one up, and offers no form', async () => {
    const reader = await openAs(TOKENS.reader);
    await reader.page.getByText('This gateway has no model yet').waitFor();
    await reader.page.getByText('An operator can set one up.').waitFor();
    expect(await summaryOf(reader).count()).toBe(0);
  });

  it('[W-73] without credentials shows the person at its machine what to do, and lets the local token set one up', async () => {
    const open = await GatewayApp.start();
    const chat = await suite.open({}, open.url);
    const remedy = chat.page.locator('.no-model');
    await remedy.getByText('openclaw setup').waitFor();
    expect(await summaryOf(chat).count()).toBe(0);
    await remedy.getByRole('button', { name: 'Sign in' }).click();
    await chat.page.getByText('data/local.token').waitFor();
    await signIn(chat, open.localToken);
    await describeServer(chat);
    await submit(chat);
    await chat.page.getByText('local/small answers from now on').waitFor();
    await open.close();
  });

  it.each([
    { name: 'light', options: {} },
    { name: 'a phone', options: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } },
    { name: '320 pixels, dark', options: { viewport: { width: 320, height: 640 }, colorScheme: 'dark' as const } },
    { name: 'forced colours', options: { forcedColors: 'active' as const } },
  ])('[W-73] has a form without a barrier that fits: $name', async ({ options }) => {
    const chat = await openAs(TOKENS.owner, options);
    await describeServer(chat, 'http://127.0.0.1:9/v1');
    await submit(chat);
    await chat.page.getByText('cannot be reached').waitFor();
    expect(await findBarriers(chat)).toEqual([]);
    const sideways = await chat.page.evaluate(
      `[document.documentElement, ...document.querySelectorAll('.thread, .setup, .setup form')]
        .filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => element.className)`,
    );
    expect(sideways).toEqual([]);
    const least = 'isMobile' in options ? 44 : 24;
    const small = await chat.page.evaluate(
      `[...document.querySelectorAll('.setup :is(summary, select, input, button)')]
        .filter((element) => element.getBoundingClientRect().height < ${least} - 0.5).map((element) => element.outerHTML)`,
    );
    expect(small).toEqual([]);
  });
});
