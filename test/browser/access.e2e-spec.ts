import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthService } from '../../src/auth/index.js';
import { CODE_LIFETIME_MS } from '../../src/auth/page-sign-in.js';
import { SystemClock } from '../../src/core/time/clock.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { eventually } from '../support/eventually.js';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { GatewayApp } from '../support/gateway-app.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { addressOf, findBarriers, findBarriersInColours } from '../support/page-checks.js';

const TOKENS = {
  operator: 'operator-token-0123456789',
  deputy: 'deputy-token-0123456789ab',
  alice: 'alice-token-0123456789abc',
  bea: 'bea-token-0123456789abcde',
  reader: 'reader-token-0123456789ab',
  driver: 'driver-token-0123456789ab',
};
const settings = {
  'auth.tokens': [
    { token: TOKENS.operator, principal: 'operator', role: 'operator' },
    { token: TOKENS.deputy, principal: 'deputy', role: 'operator' },
    { token: TOKENS.alice, principal: 'alice', role: 'user' },
    { token: TOKENS.bea, principal: 'bea', role: 'user' },
    { token: TOKENS.reader, principal: 'reader', role: 'operator', scopes: ['sessions:read'] },
    { token: TOKENS.driver, principal: 'driver', role: 'channel', channels: ['telegram'] },
  ],
};

const suite = useChat();

/** The system clock with an offset that a test can advance. */
class HastyClock extends SystemClock {
  aheadMs = 0;

  override now(): number {
    return super.now() + this.aheadMs;
  }

  override elapsed(): number {
    return super.elapsed() + this.aheadMs;
  }
}

describe('a gateway with credentials', () => {
  const clock = new HastyClock();
  let gateway: GatewayApp;
  beforeAll(async () => void (gateway = await GatewayApp.start({ settings, clock })));
  afterAll(() => gateway.close());
  const issueCode = () => gateway.app.get(AuthService, { strict: false }).issuePageCode();
  const openAt = (path: string) => suite.open({}, gateway.url, path);
  const signIn = async (chat: ChatPage, token: string) => {
    await chat.page.getByLabel('Token').fill(token);
    await chat.page.getByLabel('Token').press('Enter');
  };

  it('[W-08] asks for a token, refuses a wrong one with a reason, and signs in with a right one until the tab is closed', async () => {
    const chat = await openAt('/chat');
    await signIn(chat, 'no token');
    await chat.page.getByText('This is not a valid token').waitFor();
    await signIn(chat, 'wrong-token-0123456789');
    await chat.page.getByText('does not accept this token').waitFor();
    await signIn(chat, TOKENS.operator);
    await chat.ask('/blocks 1');
    await chat.page.reload();
    await chat.waitForEnds();
    await (await suite.openIn(chat.context, '/chat', gateway.url)).page.getByLabel('Token').waitFor();
    await chat.input.fill('for my eyes only');
    await chat.command('Sign out');
    await chat.page.getByRole('button', { name: 'Discard and sign out' }).click();
    await chat.page.getByLabel('Token').waitFor();
    expect(await chat.page.evaluate(() => JSON.stringify([sessionStorage, localStorage]))).not.toContain(
      TOKENS.operator,
    );
    expect(await chat.page.evaluate(() => JSON.stringify([sessionStorage, localStorage]))).not.toContain('for my eyes');
    await signIn(chat, TOKENS.operator);
    await chat.waitForConnection();
    expect(await chat.input.inputValue()).toBe('');
  });

  it('[W-08] never gets the token in an address, and neither does any other server', async () => {
    const chat = await openAt('/chat');
    await signIn(chat, TOKENS.alice);
    await chat.ask('/blocks 1');
    const { host } = new URL(gateway.url);
    expect(new Set(chat.complaints.requests.map((address) => new URL(address).host))).toEqual(new Set([host]));
    expect(chat.complaints.requests.join(' ')).not.toContain(TOKENS.alice);
    expect(await chat.page.evaluate(() => JSON.stringify(localStorage))).not.toContain(TOKENS.alice);
  });

  it('[W-08] [W-12] lets a user continue their one conversation from any browser, and shows no list', async () => {
    const first = await openAt('/chat');
    await signIn(first, TOKENS.alice);
    await first.waitForConnection();
    const repliesBefore = await first.replies.count();
    await first.ask('/blocks 2', repliesBefore + 1);
    const second = await openAt('/chat');
    await signIn(second, TOKENS.alice);
    await second.waitForEnds(repliesBefore + 1);
    expect(await second.page.getByRole('navigation').count()).toBe(0);
    expect(await second.blocks.allInnerTexts()).toEqual(await first.blocks.allInnerTexts());
  });

  it('[W-09] shows a conversation that begins on another device', async () => {
    const [first, second] = [await openAt('/chat'), await openAt('/chat')];
    for (const chat of [first, second]) {
      await signIn(chat, TOKENS.bea);
      await chat.waitForConnection();
    }
    await first.ask('/blocks 2');
    await second.waitForEnds();
    expect(await second.blocks.allInnerTexts()).toEqual(await first.blocks.allInnerTexts());
  });

  it('[W-76] opens the conversation of a link after a sign-in, also in another browser, for those who may read it', async () => {
    const first = await openAt('/chat');
    await signIn(first, TOKENS.operator);
    await first.ask('for operators only');
    const { pathname, hash } = new URL(await addressOf(first.page));
    const second = await openAt(pathname + hash);
    await signIn(second, TOKENS.operator);
    await second.ask('/blocks 1', 2);
    expect(await addressOf(second.page)).toBe(await addressOf(first.page));
    await first.waitForEnds(2);
    expect(await second.said.allInnerTexts()).toEqual(await first.said.allInnerTexts());
    const other = await openAt(pathname + hash);
    await signIn(other, TOKENS.alice);
    await other.page.getByRole('heading', { name: 'This conversation is not here' }).waitFor();
    await other.page.getByRole('link', { name: 'Your conversation' }).click();
    await other.input.waitFor();
    expect(await other.page.content()).not.toContain('for operators only');
  });

  it('[W-77] asks a person who signs out about messages that are not sent, and keeps them from the next one', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    let isLost = true;
    const sent: string[] = [];
    await context.routeWebSocket(/.*/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        const isMessage = /"type":"message_in"/.test(String(message));
        if (isMessage) sent.push(String(message));
        if (!isMessage || !isLost) server.send(message);
      });
    });
    const chat = await suite.openIn(context, '/chat', gateway.url);
    const dialog = chat.page.getByRole('dialog', { name: 'A message is not sent yet' });
    const leave = async (choice: string) => {
      await chat.command('Sign out');
      await dialog.getByRole('button', { name: choice }).click();
    };
    await signIn(chat, TOKENS.operator);
    await chat.waitForWelcome();
    await chat.say('for the operator alone');
    await leave('Stay signed in');
    await chat.said.getByText('for the operator alone').waitFor();
    await chat.input.fill('a draft of the operator');
    await leave('Keep in this tab');
    expect(new URL(await addressOf(chat.page)).hash).toBe('');

    isLost = false;
    await signIn(chat, TOKENS.deputy);
    await chat.waitForWelcome();
    await chat.ask('for the deputy');
    expect(await chat.page.content()).not.toContain('of the operator');
    expect(sent.splice(0).filter((frame) => frame.includes('for the operator'))).toHaveLength(1);

    await chat.command('Sign out');
    isLost = true;
    await signIn(chat, TOKENS.operator);
    await chat.said.getByText('for the operator alone').waitFor();
    expect([await chat.input.inputValue(), await chat.page.content()]).toEqual([
      'a draft of the operator',
      expect.not.stringContaining('for the deputy'),
    ]);
    await leave('Send first');
    await chat.page.getByText('You are signed out once your message is sent').waitFor();
    isLost = false;
    await chat.page.reload();
    await chat.page.getByLabel('Token').waitFor();

    await signIn(chat, TOKENS.operator);
    await chat.waitForEnds();
    expect(await chat.said.allInnerTexts()).toEqual(['for the operator alone']);
    expect(await chat.input.inputValue()).toBe('a draft of the operator');
    isLost = true;
    await chat.say('never mind');
    await leave('Discard');
    isLost = false;
    await signIn(chat, TOKENS.operator);
    await chat.waitForEnds();
    expect(await chat.said.allInnerTexts()).toEqual(['for the operator alone']);
    expect(JSON.stringify(await chat.context.storageState())).not.toContain('never mind');
    await chat.input.fill('only a draft');
    await chat.command('Sign out');
    await chat.page.getByRole('dialog', { name: 'You have drafts' }).getByRole('button', { name: 'Discard' }).click();
    await signIn(chat, TOKENS.operator);
    await chat.waitForEnds();
    expect(await chat.input.inputValue()).toBe('');
  });

  it('[W-08] says what a token lacks that cannot chat or may only read', async () => {
    const chat = await openAt('/chat');
    await signIn(chat, TOKENS.driver);
    await chat.page.getByText('bound to other channels').waitFor();
    await signIn(chat, TOKENS.reader);
    await chat.page.getByPlaceholder('may read but not write').waitFor();
    expect(await chat.input.isDisabled()).toBe(true);
    const attach = chat.page.getByRole('button', { name: 'Attach files' });
    const record = chat.page.getByRole('button', { name: 'Record a voice message' });
    expect([await attach.isDisabled(), await record.isDisabled()]).toEqual([true, true]);
  });

  it('[W-02] signs in by the code of a link, which is removed from the address at once and works once', async () => {
    const code = await issueCode();
    const chat = await openAt(`/chat#code=${code}`);
    await chat.ask('/blocks 1');
    expect(await addressOf(chat.page)).toMatch(/\/chat#conversation=s_[\w-]{32}$/);
    expect(chat.complaints.requests.join(' ')).not.toContain(code);
    await chat.page.reload();
    await chat.waitForEnds();
    const again = await openAt(`/chat#code=${code}`);
    await again.page.getByText('has expired or was used before').waitFor();
    await again.page.getByLabel('Token').waitFor();
  });

  it('[W-03] says that a code has expired, and what to do', async () => {
    const code = await issueCode();
    clock.aheadMs += CODE_LIFETIME_MS;
    const chat = await openAt(`/chat#code=${code}`);
    await chat.page.getByText('Start the gateway again for a new one, or sign in with a token').waitFor();
  });

  it('[W-03] counts wrong codes against their address, like every other credential', async () => {
    // A stopped clock: on a slow machine an attempt would be forgiven meanwhile.
    const throttled = await GatewayApp.start({ settings, clock: new ManualClock() });
    const exchange = (code: string, headers = {}) =>
      fetch(`${throttled.url}/chat/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ code }),
      });
    expect((await exchange('x', { origin: 'http://evil.example' })).status).toBe(403);
    expect((await exchange('not/a/code')).status).toBe(400);
    for (let i = 0; i < 20; i++) expect((await exchange('x')).status).toBe(401);
    expect((await exchange('x')).status).toBe(429);
    const code = await throttled.app.get(AuthService, { strict: false }).issuePageCode();
    const answer = await exchange(code);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    await throttled.close();
  });

  it('[W-19] takes neither a token nor a gateway from its address', async () => {
    const chat = await openAt(`/chat#token=${TOKENS.operator}&gatewayUrl=ws://127.0.0.1:1/`);
    await chat.page.getByLabel('Token').waitFor();
    expect(await addressOf(chat.page)).toBe(`${gateway.url}/chat`);
    expect(
      chat.complaints.requests
        .filter((address) => address.startsWith('ws'))
        .every((address) => address.includes(new URL(gateway.url).host)),
    ).toBe(true);
    expect((await fetch(`${gateway.url}/chat?token=${TOKENS.operator}`)).status).toBe(400);
  });
});

describe('the start of a gateway', () => {
  /** Makes the gateway treat its output as a terminal. */
  const TERMINAL = { NODE_OPTIONS: '--import=data:text/javascript,process.stdout.isTTY=true' };
  const CREDENTIAL = { OPENCLAW_AUTH_TOKEN: TOKENS.operator };

  it('[W-02] prints a link that signs in, to a terminal and nowhere else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'openclaw-chat-'));
    const start = (env: Record<string, string>) =>
      new GatewayProcess({ folder, env: { OPENCLAW_STORE_URL: 'sqlite::memory:', ...env } });
    const [seen, unseen] = [start({ ...TERMINAL, ...CREDENTIAL }), start(CREDENTIAL)];
    const [port] = await Promise.all([seen.port, unseen.port]);
    const link = new RegExp(`Web chat: (http://127\\.0\\.0\\.1:${port})(/chat#code=[\\w-]{22}) `);
    await eventually(() => expect(seen.output).toMatch(link));
    expect(unseen.output).not.toContain('chat');
    const [, url = '', path = ''] = link.exec(seen.output) ?? [];
    const chat = await suite.open({}, url, path);
    await chat.ask('/blocks 1');
    await Promise.all([seen, unseen].map((gateway) => gateway.end()));
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('the page', () => {
  it('[W-20] can be used by keyboard alone', async () => {
    const chat = await suite.open();
    await chat.waitForWelcome();
    await eventually(async () => expect(await chat.input.evaluate((area) => area.matches(':focus'))).toBe(true));
    const { keyboard } = chat.page;
    await keyboard.type('two');
    await keyboard.press('Shift+Enter');
    await keyboard.type('lines');
    await keyboard.press('Enter');
    await chat.waitForEnds();
    expect(await chat.said.first().innerText()).toBe('two\nlines');
    await keyboard.type('/wait 20000');
    await keyboard.press('Enter');
    await chat.page.getByRole('img', { name: 'openclaw is answering' }).waitFor();
    await keyboard.press('Escape');
    await chat.replies.getByText('Stopped').waitFor();

    const names: string[] = [];
    for (let i = 0; i < 12; i++) {
      await keyboard.press('Shift+Tab');
      const focused = chat.page.locator(':focus');
      const label = (await focused.getAttribute('placeholder')) ?? (await focused.getAttribute('aria-label'));
      names.push(label ?? (await focused.innerText()));
    }
    expect(names.toReversed()).toEqual([
      'Hide conversations',
      'Search',
      'two',
      'More for “two”',
      'More',
      'Conversation',
      'Edit',
      'Copy answer',
      'Answer again',
      'Edit',
      'Attach files',
      'Record a voice message',
    ]);
    await chat.page.getByRole('button', { name: 'New conversation' }).focus();
    await keyboard.press('Enter');
    await chat.page.getByText('Hello, this is openclaw').waitFor();
    await eventually(async () => expect(await chat.input.evaluate((area) => area.matches(':focus'))).toBe(true));
  });

  it('[W-21] fits a phone: nothing is wider than the screen, and the list opens over the conversation', async () => {
    const chat = await suite.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await chat.waitForConnection();
    await chat.input.fill(
      `${'long'.repeat(100)}\n\n| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n| 1 | 2 | 3 | 4 | 5 | 6 |\n\n\`\`\`\n${'code '.repeat(60)}\n\`\`\``,
    );
    await chat.page.getByRole('button', { name: 'Send', exact: true }).tap();
    await chat.waitForEnds();
    await chat.input.fill('/demo');
    await chat.page.getByRole('button', { name: 'Send', exact: true }).tap();
    await chat.waitForEnds(2);
    const overflowing = () =>
      chat.page
        .evaluate(`[document.documentElement, document.querySelector('.thread'), ...document.querySelectorAll('.reply')]
        .filter((element) => element.scrollWidth > element.clientWidth).map((element) => element.className)`);
    expect(await overflowing()).toEqual([]);
    await chat.page.getByRole('button', { name: 'Show conversations' }).tap();
    await chat.page.getByRole('button', { name: 'New conversation' }).tap();
    await chat.page.getByText('Hello, this is openclaw').waitFor();
    await chat.page.getByRole('button', { name: 'Hide conversations' }).waitFor({ state: 'hidden' });
    expect(await overflowing()).toEqual([]);
  });

  it('[W-22] has no barriers in any colours', async () => {
    const chat = await suite.open();
    await chat.page.getByText('Hello, this is openclaw').waitFor();
    expect(await findBarriersInColours(chat)).toEqual([]);
    await chat.ask(
      '# Heading\n\n- [ ] item\n\n| a | b |\n|--:|---|\n| 1 | `2` |\n\n> quoted\n\n```ts\nconst a: number = 1; // one\n```\n[link](https://example.org)',
    );
    await chat.ask('/demo', 2);
    await chat.ask('/tool time.now {}', 3);
    await chat.say('/fail');
    await chat.page.getByText('The agent could not answer').waitFor();
    await chat.say('/wait 20000');
    await chat.say('/blocks 1');
    await chat.page.getByText('next in line').waitFor();
    await chat.input.fill('x'.repeat(65_537));
    await chat.replies.locator('.hljs-keyword').first().waitFor();
    expect(await findBarriersInColours(chat)).toEqual([]);
  });

  it('[W-22] has no barriers when it asks for a token', async () => {
    const gateway = await GatewayApp.start({ settings });
    const chat = await suite.open({ colorScheme: 'dark' }, gateway.url);
    await chat.page.getByLabel('Token').fill('x');
    await chat.page.getByLabel('Token').press('Enter');
    await chat.page.getByText('This is not a valid token').waitFor();
    expect(await findBarriers(chat)).toEqual([]);
    await gateway.close();
  });
});
