import { beforeAll, describe, expect, it } from 'vitest';
import { useChat } from '../support/chat-page.js';
import { consoleSettings, CONSOLE_TOKENS, openConsole, say } from '../support/console-page.js';
import type { FrameClient } from '../support/frame-client.js';
import { addressOf, findFaults, SIDEWAYS } from '../support/page-checks.js';

/** Markdown that would set `hacked`, or load something, if it were more than text. */
const HOSTILE_MARKDOWN = [
  '# <script>hacked=1</script>',
  '- ![x](https://evil.example/pixel.png) [click](javascript:hacked=1)',
  '| <img src=x onerror="hacked=1"> |\n|---|\n| <svg onload="hacked=1"> |',
  '<iframe srcdoc="<script>top.hacked=1</script>"></iframe><style>@import "https://evil.example/x.css"</style>',
  '```mermaid\ngraph TD; a["<img src=x onerror=hacked=1>"] --> b; click a href "javascript:hacked=1"\n```',
  '$\\href{javascript:hacked=1}{x} \\includegraphics{https://evil.example/y.png}$',
].join('\n\n');

/** Texts that look like markup, turn the line around, or do not break. */
const HOSTILE = `<img src=x onerror=alert(1)><script>alert(2)</script>\u202eevil ${'w'.repeat(10_000)}`;

const suite = useChat({ settings: consoleSettings });
let driver: FrameClient;
let alice: { readonly sessionId: string; readonly ref: string };

beforeAll(async () => {
  driver = await suite.gateway.connect('c', CONSOLE_TOKENS.driver);
  alice = await say(driver, '/demo');
  for (const sender of ['bob', 'carl', '<b>dora</b>']) await say(driver, 'hello', sender);
  await say(driver, HOSTILE, `${'x'.repeat(200)}\u202e<i>`);
});

describe('the list of conversations', () => {
  it('[CO-06] has its filters in the address: they survive a reload, Back undoes them, and each is a chip', async () => {
    const chat = await openConsole(suite, '/sessions');
    const { page } = chat;
    const names = () => page.locator('.spacer .row a').allInnerTexts();
    await expect.poll(names).toHaveLength(5);
    await page.getByLabel('Mode').selectOption('main');
    await page.getByLabel('Search by id, channel or person').pressSequentially('ali');
    await expect.poll(names).toEqual(['alice']);
    expect(new URL(await addressOf(page)).search).toBe('?mode=main&q=ali');
    await page.reload();
    await expect.poll(names).toEqual(['alice']);
    expect(await page.locator('.chip').allInnerTexts()).toEqual(['“ali”', 'mode main']);
    await page.goBack();
    await expect.poll(names).toHaveLength(5);
    await page.goForward();
    await page.getByRole('button', { name: 'Remove the filter “ali”' }).click();
    await expect.poll(names).toHaveLength(5);
    await page.getByLabel('Search by id, channel or person').fill('zebedee');
    await page.getByText('Nothing matches “zebedee”, mode main.').waitFor();
    expect(await findFaults(chat)).toEqual([]);
    await page.locator('.empty').getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(names).toHaveLength(5);
    expect(new URL(await addressOf(page)).search).toBe('');
  });

  it('[CO-11] says what runs and waits in each, also where the list of turns does not have it, and follows it', async () => {
    const { page } = await openConsole(suite, '/sessions?q=greta');
    await page.route('**/admin/v1/turns*', (route) => route.fulfill({ json: { items: [] } }));
    await page.getByText('Nothing matches').waitFor();
    const send = (content: string) => driver.send('message_in', { channel: 'test', sender: 'greta', content });
    const running = send('/wait 60000');
    await driver.answerTo(running);
    for (const content of ['second', 'third']) await driver.answerTo(send(content));
    await page.keyboard.press('r');
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'greta' }) });
    await row.getByText('running').waitFor();
    await row.getByRole('cell', { name: '2', exact: true }).waitFor();
    driver.send('cancel', { message_id: running });
    await row.getByText('idle').waitFor();
    await row.getByRole('cell', { name: '—', exact: true }).waitFor();
  });

  it('[CO-06] is not empty when it cannot be read, and keeps its rows', async () => {
    const { page } = await openConsole(suite, '/sessions');
    await page.getByRole('link', { name: 'alice' }).waitFor();
    await page.route('**/admin/v1/sessions*', (route) =>
      route.fulfill({ status: 503, json: { detail: 'The store does not respond', code: 'STORE_UNAVAILABLE' } }),
    );
    await page.keyboard.press('r');
    await page.getByText('The list could not be read: The store does not respond (STORE_UNAVAILABLE)').waitFor();
    expect(await page.getByRole('link', { name: 'alice' }).count()).toBe(1);
    await page.unroute('**/admin/v1/sessions*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });
});

describe('a conversation', () => {
  it('[CO-07] shows what the person saw, beside it where the time went, and opens a step', async () => {
    const chat = await openConsole(suite, `/sessions/${alice.sessionId}#${alice.ref}`);
    const { page } = chat;
    const turn = page.locator('console-turn').first();
    await turn.getByText('A paragraph of plain text.').waitFor();
    await turn.getByText('const answer = 42;').waitFor();
    await turn.getByRole('heading', { name: 'Markdown' }).waitFor();
    await turn.locator('.hljs-number', { hasText: '42' }).first().waitFor();
    await turn.getByText('done').waitFor();
    await turn.getByRole('button', { name: /^model/ }).click();
    await turn.getByText('Took').waitFor();
    await turn.getByRole('button', { name: 'Log lines of that time' }).click();
    await turn.getByText('The gateway has no log lines of that time.').waitFor();
    expect(await turn.getAttribute('class')).toContain('meant');
    expect(await findFaults(chat)).toEqual([]);
  });

  it('[CO-08] is changed with an undo, and sent to with a second press that the audit names', async () => {
    const { sessionId } = await say(driver, 'first', 'erin');
    const { page } = await openConsole(suite, `/sessions/${sessionId}`);
    await page.getByLabel('Another permission').fill('http');
    await page.getByRole('button', { name: 'Give' }).click();
    await page.getByRole('button', { name: 'Take the permission http' }).waitFor();
    await page.getByText('Written to the audit as ann.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Take the permission http' }).waitFor({ state: 'detached' });
    await page.getByLabel('Send a message as an operator').fill('/blocks 1');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('button', { name: 'Send it to erin?' }).click();
    await page.locator('console-turn').nth(1).getByText('done').waitFor();
    expect(await page.locator('console-turn').nth(1).getByText('block 1').count()).toBe(1);
  });

  it('[CO-08] is reset and deleted only after a question that says what is lost, with Cancel first', async () => {
    const { sessionId } = await say(driver, 'first', 'fred');
    const { page } = await openConsole(suite, `/sessions/${sessionId}`);
    await page.getByRole('button', { name: 'Reset' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('without the 1 messages that it knows now').waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.textContent.trim()')).toBe('Cancel');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByText('All messages, files and memories of fred are deleted for good.').waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('The conversation was deleted.').waitFor();
    await page.getByRole('heading', { name: 'Conversations' }).waitFor();
    await page.getByRole('link', { name: 'alice' }).waitFor();
    expect(await page.getByRole('link', { name: 'fred' }).count()).toBe(0);
  });

  it('[CO-08] is exported as a file', async () => {
    const { page } = await openConsole(suite, `/sessions/${alice.sessionId}`);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`${alice.sessionId}.jsonl`);
  });

  it('[CO-09] can be read and copied with a token that may only read, and says what each change needs', async () => {
    const options = { token: CONSOLE_TOKENS.reader };
    const { page } = await openConsole(suite, `/sessions/${alice.sessionId}`, options);
    await page.getByText('A paragraph of plain text.').waitFor();
    for (const name of ['Send', 'Reset', 'Delete', 'Give'])
      expect([name, await page.getByRole('button', { name, exact: true }).isDisabled()]).toEqual([name, true]);
    expect(await page.getByLabel('Mode').isDisabled()).toBe(true);
    expect(await page.getByText('needs admin:write').count()).toBeGreaterThan(3);
    expect(await page.getByRole('button', { name: 'Export' }).isEnabled()).toBe(true);
  });

  it('[CO-10] draws the Markdown of an answer, of which nothing runs and nothing is loaded from elsewhere', async () => {
    const { sessionId } = await say(driver, HOSTILE_MARKDOWN, 'mallory');
    const chat = await openConsole(suite, `/sessions/${sessionId}`);
    const { page } = chat;
    const reply = page.locator('.said .reply');
    await reply.getByRole('heading', { name: '<script>hacked=1</script>' }).waitFor();
    await reply.getByRole('cell', { name: 'onload' }).waitFor();
    await reply.getByText('graph TD; a[').waitFor();
    const links = "[...document.querySelectorAll('.said .reply a')].map(({ href, rel }) => `${href} ${rel}`)";
    expect(await page.evaluate(links)).toEqual(['https://evil.example/pixel.png noopener noreferrer nofollow']);
    expect(await reply.locator('script, iframe, img, style, :is(svg, a):not(.icon, [href^="https:"])').count()).toBe(0);
    expect(await page.evaluate(`'hacked' in globalThis`)).toBe(false);
    expect(chat.complaints.requests.filter((address) => address.includes('evil'))).toEqual([]);
    expect(await findFaults(chat)).toEqual([]);
  });

  it('[CO-07] shows the source of an answer when what draws Markdown cannot be loaded', async () => {
    const context = await suite.browser.newContext();
    await context.route('**/assets/markdown-*', (route) => route.abort());
    await context.addInitScript(`sessionStorage.setItem('openclaw.console.token', '${CONSOLE_TOKENS.ann}')`);
    const { page } = await suite.openIn(context, `/console/sessions/${alice.sessionId}`);
    await page.getByText('A paragraph of plain text.').waitFor();
  });

  it('[CO-10] shows markup, text that turns around and words without end as text, in the list and in the thread', async () => {
    const { page } = await openConsole(suite, '/sessions', { viewport: { width: 390, height: 844 } });
    page.on('dialog', () => expect.unreachable());
    await page.getByRole('link', { name: '<b>dora</b>' }).waitFor();
    expect(await page.evaluate(SIDEWAYS)).toEqual([]);
    await page.getByRole('link', { name: 'xxx' }).click();
    await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
    expect(await page.locator('.said img, .said script').count()).toBe(0);
    expect(await page.evaluate(SIDEWAYS)).toEqual([]);
  });
});
