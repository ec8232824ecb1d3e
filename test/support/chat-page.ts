import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { launchBrowser } from './browser.js';
import { GatewayApp, type GatewayAppOptions } from './gateway-app.js';

/** A script for the page: reports violations of the policy, which are events of the document. */
const REPORT_VIOLATIONS =
  "document.addEventListener('securitypolicyviolation', (event) => complain([event.violatedDirective, event.blockedURI, event.sample].join(' ')))";

/** Problems that the browser reports about a page. */
export interface Complaints {
  /** Violations of the content security policy. */
  readonly violations: string[];
  /** Uncaught errors. */
  readonly errors: string[];
  /** The addresses of all requests, WebSockets included. */
  readonly requests: string[];
}

/** The web chat in a browser, as a user sees it. */
export class ChatPage {
  private constructor(
    readonly page: Page,
    readonly complaints: Complaints,
  ) {}

  /** Opens the chat of the gateway at `url` in a fresh browser context, without animations, which would cost time. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
    path = '/chat',
  ): Promise<ChatPage> {
    return ChatPage.openIn(
      await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options }),
      url,
      path,
    );
  }

  /** Opens the chat in another tab of a context. */
  static async openIn(context: BrowserContext, url: string, path = '/chat'): Promise<ChatPage> {
    const page = await context.newPage();
    const complaints: Complaints = { violations: [], errors: [], requests: [] };
    await page.exposeFunction('complain', (directive: string) => void complaints.violations.push(directive));
    await page.addInitScript(REPORT_VIOLATIONS);
    page.on('pageerror', (error) => complaints.errors.push(error.message));
    page.on('request', (request) => complaints.requests.push(request.url()));
    page.on('websocket', (socket) => complaints.requests.push(socket.url()));
    page.setDefaultTimeout(60_000);
    await page.goto(url + path);
    return new ChatPage(page, complaints);
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  get input(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }

  /** The messages of the user. */
  get said(): Locator {
    return this.page.locator('.bubble');
  }

  /** The replies, one for each answered message. */
  get replies(): Locator {
    return this.page.locator('.reply');
  }

  /** The blocks of all replies. */
  get blocks(): Locator {
    return this.page.locator('.reply .block');
  }

  get connection(): Locator {
    return this.page.locator('.link');
  }

  /** Types a message and sends it with the keyboard. One that is sent before the sender is known stays in the field until then. */
  async say(text: string): Promise<void> {
    await this.input.fill(text);
    await this.input.press('Enter');
  }

  /** Resolves once `count` replies have ended. */
  async waitForEnds(count = 1): Promise<void> {
    await this.page
      .getByRole('button', { name: 'Copy answer' })
      .nth(count - 1)
      .waitFor({ state: 'attached' });
    // The code that renders Markdown is loaded with the first answer.
    await this.page.locator('chat-markdown:not(:defined)').first().waitFor({ state: 'detached' });
  }

  /** Sends a message and waits for the end of its reply, the `count`th on the page. */
  async ask(text: string, count = 1): Promise<void> {
    await this.say(text);
    await this.waitForEnds(count);
  }

  /** Drops or pastes a file. */
  async bring(
    how: 'drop' | 'paste',
    { name, mimeType, buffer }: { name: string; mimeType: string; buffer: Buffer },
  ): Promise<void> {
    await this.page.evaluate(`{
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob('${buffer.toString('base64')}'), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], '${name}', { type: '${mimeType}' }));
      const options = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
      const event = '${how}' === 'drop' ? new DragEvent('drop', options) : new ClipboardEvent('paste', options);
      document.querySelector('textarea').dispatchEvent(event);
    }`);
  }

  /** Chooses a command of the header's menu. */
  async command(name: string): Promise<void> {
    await this.page.locator('.head page-menu > button').click();
    await this.page.getByRole('menuitem', { name }).click();
  }

  /** Resolves once an empty conversation is open. */
  async waitForWelcome(): Promise<void> {
    await this.page.getByText('Hello, this is').waitFor();
  }

  /** Presses the button that connects now, unless the page has connected by itself and taken the button away. */
  async tryNow(): Promise<void> {
    await this.page
      .getByRole('button', { name: 'Try now' })
      .click({ timeout: 3_000 })
      .catch(() => {});
  }

  async waitForConnection(): Promise<void> {
    await this.connection.getByText('Connected').waitFor({ state: 'attached' });
  }
}

/** The browser and gateway that the tests of a file share. */
export interface ChatSuite {
  readonly browser: Browser;
  readonly gateway: GatewayApp;
  /** Opens the chat in a fresh browser context, by default at the shared gateway. */
  open(options?: BrowserContextOptions, url?: string, path?: string): Promise<ChatPage>;
  /** Opens the chat in a prepared context. */
  openIn(context: BrowserContext, path?: string, url?: string): Promise<ChatPage>;
}

/**
 * Starts one browser and one gateway for a file, whose tests may run concurrently. At the end it asserts that no page has
 * violated the content security policy or left an error uncaught.
 */
export function useChat(options: GatewayAppOptions = {}): ChatSuite {
  let browser: Browser;
  let gateway: GatewayApp;
  const complaints: Complaints[] = [];
  const keep = (chat: ChatPage) => {
    complaints.push(chat.complaints);
    return chat;
  };
  beforeAll(async () => {
    [browser, gateway] = await Promise.all([launchBrowser(), GatewayApp.start(options)]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), gateway.close()]);
    for (const { violations, errors } of complaints) expect([...violations, ...errors]).toEqual([]);
  });
  return {
    get browser() {
      return browser;
    },
    get gateway() {
      return gateway;
    },
    open: async (contextOptions, url = gateway.url, path = '/chat') =>
      keep(await ChatPage.open(browser, url, contextOptions, path)),
    openIn: async (context, path = '/chat', url = gateway.url) => keep(await ChatPage.openIn(context, url, path)),
  };
}
