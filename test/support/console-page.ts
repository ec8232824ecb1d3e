import type { BrowserContextOptions, Page } from 'playwright-core';
import type { ChatPage, ChatSuite } from './chat-page.js';
import type { FrameClient } from './frame-client.js';

/** Tokens of a gateway with one tenant: an operator, one who may only read, a person and a driver of the channel `test`. */
export const CONSOLE_TOKENS = {
  ann: 'ann-token-0123456789abcdef',
  reader: 'reader-token-0123456789ab',
  person: 'person-token-0123456789ab',
  driver: 'driver-token-0123456789ab',
} as const;

export const consoleSettings: Readonly<Record<string, unknown>> = {
  'auth.tokens': [
    { token: CONSOLE_TOKENS.ann, principal: 'ann', role: 'operator' },
    { token: CONSOLE_TOKENS.reader, principal: 'reader', role: 'operator', scopes: ['admin:read'] },
    { token: CONSOLE_TOKENS.person, principal: 'person', role: 'user' },
    { token: CONSOLE_TOKENS.driver, principal: 'driver', role: 'channel', channels: ['test'] },
  ],
};

/** Opens a place of the console in a fresh browser, signed in. */
export async function openConsole(
  suite: ChatSuite,
  path = '',
  { url = suite.gateway.url, token = CONSOLE_TOKENS.ann, ...options }: OpenOptions = {},
): Promise<ChatPage> {
  const context = await suite.browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
  await context.addInitScript(`sessionStorage.setItem('openclaw.console.token', '${token}')`);
  return suite.openIn(context, `/console${path}`, url);
}

export interface OpenOptions extends BrowserContextOptions {
  readonly url?: string;
  readonly token?: string;
}

/** Resolves once what is shown is live and was read: what happens from now on is news to the page. */
export async function waitForLive(page: Page): Promise<void> {
  await page.locator('.live.good').waitFor();
  await page.locator('.page').waitFor();
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
}

let sent = 0;

/** Sends a message as a person of the channel `test`, and waits for the end of its reply. Resolves with its session and ref. */
export async function say(
  driver: FrameClient,
  content: string,
  sender = 'alice',
): Promise<{ readonly sessionId: string; readonly ref: string }> {
  const id = driver.send('message_in', { channel: 'test', sender, content }, { id: `console-${++sent}` });
  const ack = await driver.answerTo(id);
  await driver.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
  return { sessionId: ack.session_id ?? '', ref: String(ack.payload['message_ref']) };
}
