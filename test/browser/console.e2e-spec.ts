import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useChat } from '../support/chat-page.js';
import { consoleSettings, CONSOLE_TOKENS, openConsole, say, waitForLive } from '../support/console-page.js';
import type { FrameClient } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';
import { MovedClock } from '../support/moved-clock.js';
import { addressOf, findFaults } from '../support/page-checks.js';

const suite = useChat({ settings: consoleSettings });
let driver: FrameClient;
let alice: { readonly sessionId: string; readonly ref: string };

beforeAll(async () => {
  driver = await suite.gateway.connect('c', CONSOLE_TOKENS.driver);
  alice = await say(driver, '/demo');
  await say(driver, 'hello', 'bob');
});

describe('the sign-in of the console', () => {
  it('[CO-01] asks for the token of an operator, and then shows the place of the address', async () => {
    const chat = await suite.open({}, suite.gateway.url, `/console/sessions/${alice.sessionId}?failed=1`);
    const { page } = chat;
    const signIn = async (token: string) => {
      await page.getByLabel('Token').fill(token);
      await page.getByLabel('Token').press('Enter');
    };
    await signIn('wrong-token-0123456789ab');
    await page.getByText('does not accept this token').waitFor();
    await signIn(CONSOLE_TOKENS.person);
    await page.getByText('The console needs the token of an operator').waitFor();
    expect(await findFaults(chat)).toEqual([]);
    await signIn(CONSOLE_TOKENS.ann);
    await page.getByRole('heading', { name: 'alice · test' }).waitFor();
    expect(await page.getByLabel('Failures only').isChecked()).toBe(true);
    await page.reload();
    await page.getByRole('heading', { name: 'alice · test' }).waitFor();
    expect(chat.complaints.requests.join(' ')).not.toContain(CONSOLE_TOKENS.ann);
    expect(new Set(chat.complaints.requests.map((address) => new URL(address).host)).size).toBe(1);
  });

  it('[CO-01] takes the link of a gateway without tokens, and forgets its code', async () => {
    const open = await GatewayApp.start();
    try {
      const chat = await suite.open({}, open.url, (await open.makeLink()).replace('/chat', '/console'));
      await chat.page.getByRole('heading', { name: 'Nothing needs you' }).waitFor();
      expect(await addressOf(chat.page)).toBe(`${open.url}/console`);
    } finally {
      await open.close();
    }
  });

  it('[CO-03] leaves a menu open that a person has opened before the page is loaded', async () => {
    const chat = await openConsole(suite);
    const { page } = chat;
    await waitForLive(page);
    const menuIsOpen = Promise.withResolvers<void>();
    await page.route(/audit.*\.js/, async (route) => {
      await menuIsOpen.promise;
      await route.continue();
    });
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.locator('.bar page-menu > button').click();
    const first = page.getByRole('menuitem').first();
    await first.waitFor();
    menuIsOpen.resolve();
    await page.locator('.page').waitFor();
    expect(await first.evaluate((item) => item === item.ownerDocument.activeElement)).toBe(true);
  });

  it('[CO-01] comes back over the page when the access is lost, and keeps what was written', async () => {
    const chat = await openConsole(suite, `/sessions/${alice.sessionId}`);
    const { page } = chat;
    await page.getByLabel('Send a message as an operator').fill('half a sentence');
    await page.route('**/admin/v1/**', (route) => route.fulfill({ status: 401, body: '{}' }));
    await page.keyboard.press('Escape');
    // Not a click, which waits for a button that can be reached: another request may have been refused already.
    await page.getByRole('button', { name: 'Export' }).dispatchEvent('click');
    await page.getByText('Your access has ended').waitFor();
    await page.unroute('**/admin/v1/**');
    await page.getByLabel('Token').fill(CONSOLE_TOKENS.ann);
    await page.getByLabel('Token').press('Enter');
    await page.getByLabel('Token').waitFor({ state: 'detached' });
    expect(await page.getByLabel('Send a message as an operator').inputValue()).toBe('half a sentence');
  });
});

describe('the overview', () => {
  const clock = new MovedClock();
  let gateway: GatewayApp;
  beforeAll(async () => void (gateway = await GatewayApp.start({ settings: consoleSettings, clock })));
  afterAll(() => gateway.close());

  it('[CO-02] begins with what is wrong, each with one button, then four numbers and what runs', async () => {
    const busy = await gateway.connect('c', CONSOLE_TOKENS.driver);
    for (const content of ['/wait 60000', 'and I?'])
      await busy.answerTo(busy.send('message_in', { channel: 'test', sender: 'carl', content }));
    const chat = await openConsole(suite, '', { url: gateway.url });
    const { page } = chat;
    await page.getByRole('table', { name: 'Running now' }).getByRole('link', { name: 'carl · test' }).waitFor();
    await page.getByText('Nothing needs you.').waitFor();
    clock.aheadMs = 90_000;
    await page.keyboard.press('r');
    await page.getByRole('heading', { name: '1 thing needs you' }).waitFor();
    await page.getByRole('heading', { name: /^Since the start at \d\d:\d\d$/ }).waitFor();
    await page.getByText(/1 message waits, for 9\d s/).waitFor();
    const figures = await page.locator('.figure').allInnerTexts();
    expect(figures.map((text) => text.split('\n')[0])).toEqual([
      'Messages',
      'Waiting',
      'First words, p95',
      'Failed turns',
    ]);
    expect(await page.getByRole('img', { name: 'Waiting per minute in the last hour' }).count()).toBe(1);
    expect(await findFaults(chat)).toEqual([]);
    await page.getByRole('link', { name: 'carl · test' }).click();
    await page.getByRole('heading', { name: 'carl · test' }).waitFor();
  });
});

describe('the frame of the console', () => {
  it('[CO-03] leads everywhere by keys, lists them, and lets them be switched off', async () => {
    const { page } = await openConsole(suite);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await waitForLive(page);
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('heading', { name: 'Conversations' }).waitFor();
    await page.getByRole('link', { name: 'alice' }).waitFor();
    // Escape leaves the search with what it has found.
    await page.keyboard.press('/');
    await page.keyboard.type('ali');
    await page.waitForURL(/q=ali/);
    await page.keyboard.press('Escape');
    // What is found has been read, so that there is a row to go to.
    await waitForLive(page);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('alice');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'alice · test' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Jump to a page or an id' }).fill('overv');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /need you|needs you/ }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).getByLabel('Keys without Ctrl act').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(new URL(await addressOf(page)).pathname).toBe('/console');
  });

  it('[CO-03] finds the thing with an id, and says what is not here', async () => {
    const { page } = await openConsole(suite, '/nowhere');
    await page.getByRole('heading', { name: 'Not here' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill(alice.sessionId);
    await page.getByRole('option', { name: `Conversation ${alice.sessionId}` }).click();
    await page.getByRole('heading', { name: 'alice · test' }).waitFor();
    await page.goto(`${suite.gateway.url}/console/sessions/s_nobody`);
    await page.getByText('There is nothing at this address, or it is not yours to see.').waitFor();
  });

  it('[CO-03] fits a phone, whose navigation opens over the page', async () => {
    const chat = await openConsole(suite, '/sessions', { viewport: { width: 390, height: 844 }, hasTouch: true });
    const { page } = chat;
    await page.getByRole('link', { name: 'alice' }).waitFor();
    expect(await findFaults(chat)).toEqual([]);
    await page.getByRole('button', { name: 'Pages' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: /needs? you/ }).waitFor();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor({ state: 'hidden' });
  });

  it('[CO-03] switches every time to UTC and back', async () => {
    const { page } = await openConsole(suite, `/sessions/${alice.sessionId}`, { timezoneId: 'Asia/Tokyo' });
    const time = page.locator('.turn-head time').first();
    const local = await time.innerText();
    await page.getByRole('button', { name: 'Times in Asia/Tokyo. Switch the zone' }).click();
    await expect.poll(() => time.innerText()).not.toBe(local);
    expect(await time.getAttribute('title')).toContain('UTC');
  });

  it('[CO-04] is at every address below a proxy’s path too, without a request beside it', async () => {
    const { startPathProxy } = await import('../support/path-proxy.js');
    const proxy = await startPathProxy('/claw', () => suite.gateway.port);
    try {
      const { page } = await openConsole(suite, `/sessions/${alice.sessionId}`, { url: proxy.url });
      await page.getByRole('heading', { name: 'alice · test' }).waitFor();
      await waitForLive(page);
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.getByRole('heading', { name: /needs? you/ }).waitFor();
      expect([new URL(await addressOf(page)).pathname, proxy.strays]).toEqual(['/claw/console', []]);
    } finally {
      await proxy.close();
    }
  });
});

describe('a gateway with tenants', () => {
  let gateway: GatewayApp;
  const stranger = 'stranger-token-0123456789';
  const owner = 'owner-token-0123456789abc';
  beforeAll(async () => {
    gateway = await GatewayApp.start({
      settings: {
        'auth.tokens': [
          ...(consoleSettings['auth.tokens'] as readonly object[]),
          { token: stranger, principal: 'stranger', role: 'operator', tenant: 'acme' },
          { token: owner, principal: 'owner', role: 'operator', tenant: '*' },
        ],
      },
    });
  });
  afterAll(() => gateway.close());

  it('[CO-05] shows an operator nothing at the address of a conversation of another tenant', async () => {
    const { sessionId } = await say(await gateway.connect('c', CONSOLE_TOKENS.driver), 'for us only');
    const { page } = await openConsole(suite, `/sessions/${sessionId}`, { url: gateway.url, token: stranger });
    await page.getByText('There is nothing at this address, or it is not yours to see.').waitFor();
    expect(await page.content()).not.toContain('for us only');
    await page.getByRole('link', { name: 'Conversations' }).click();
    await page.getByText('No conversations yet.').waitFor();
  });

  it('[CO-05] leads an operator of one tenant to no page of the whole gateway, and says why', async () => {
    const { page } = await openConsole(suite, '/sessions', { url: gateway.url, token: stranger });
    for (const name of ['Settings', 'Logs']) {
      const link = page
        .getByRole('navigation')
        .getByRole('link', { name: `${name} Only for operators of all tenants` });
      expect([await link.getAttribute('aria-disabled'), await link.getAttribute('href')]).toEqual(['true', null]);
    }
    expect(await page.getByRole('navigation').getByRole('link', { name: 'Usage' }).getAttribute('href')).not.toBeNull();
  });

  it('[CO-05] opens no page of the whole gateway by palette, key or address, and says calmly what is missing', async () => {
    const chat = await openConsole(suite, '/logs', { url: gateway.url, token: stranger });
    const { page } = chat;
    const isClosed = async (heading: string, barrier: string) => {
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await page.locator('.closed').getByText(barrier).waitFor();
      expect([await page.getByRole('alert').count(), await page.getByText('Try again').count()]).toEqual([0, 0]);
    };
    await isClosed('Logs', 'Only for operators of all tenants');
    expect(await findFaults(chat)).toEqual([]);
    await page.getByRole('link', { name: 'To the overview' }).click();
    await page.getByRole('heading', { name: /needs? you/ }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press(',');
    await isClosed('Settings', 'Only for operators of all tenants');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).getByText('Go to Usage').waitFor();
    expect(await page.getByText('Go to Settings').count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    const options = page.getByRole('option');
    await options.getByText('Usage').waitFor();
    expect((await options.allInnerTexts()).filter((name) => /Settings|Logs/.test(name))).toEqual([]);
  });

  it('[CO-05] lists the entries of an operator of one tenant, and does not try to check the chain of all', async () => {
    const { page, complaints } = await openConsole(suite, '/audit', { url: gateway.url, token: stranger });
    await page.getByText('Only for operators of all tenants').last().waitFor();
    await waitForLive(page);
    expect([await page.getByRole('alert').count(), await page.getByText('Try again').count()]).toEqual([0, 0]);
    expect(complaints.requests.filter((address) => address.includes('audit/verify'))).toEqual([]);
  });

  it('[CO-09] names the scope of a page that a token cannot open, and leaves it out of the palette', async () => {
    const options = { url: gateway.url, token: CONSOLE_TOKENS.reader };
    const { page } = await openConsole(suite, '/audit', options);
    await page.locator('.closed').getByText('Needs audit:read').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Audit Needs audit:read' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('audit');
    await page.getByText('Nothing is called like that.').waitFor();
  });

  it('[CO-05] names the tenant of each row to an operator of all tenants', async () => {
    const { page } = await openConsole(suite, '/sessions', { url: gateway.url, token: owner });
    await page.getByRole('row', { name: /alice/ }).getByRole('cell', { name: 'default' }).waitFor();
    await page.getByLabel('Tenant').selectOption('default');
    await page.getByRole('link', { name: 'alice' }).waitFor();
    expect(await page.getByRole('columnheader', { name: 'Tenant' }).count()).toBe(0);
  });

  it('[CO-05] lets an operator of all tenants choose one, which stays in every address', async () => {
    const { page } = await openConsole(suite, '/sessions', { url: gateway.url, token: owner });
    await page.getByRole('link', { name: 'alice' }).waitFor();
    await page.getByLabel('Tenant').selectOption('acme');
    await page.getByText('No conversations yet.').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: /needs? you/ }).waitFor();
    expect(new URL(await addressOf(page)).search).toBe('?tenant=acme');
    expect(await page.getByLabel('Tenant').inputValue()).toBe('acme');
    await page.getByLabel('Tenant').selectOption('');
    await page.getByRole('link', { name: 'Conversations' }).click();
    await page.getByRole('link', { name: 'alice' }).waitFor();
  });
});
