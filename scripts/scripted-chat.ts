/** The built gateway with a scripted agent, and a browser, for scripts that take pictures of the web chat. */
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../test/support/browser.ts';

const built = (await import(new URL('../dist/index.js', import.meta.url).href)) as typeof import('../src/index.ts');
const { GatewayModule, GatewayWsAdapter, createHttpAdapter } = built;

/** The base class of agents, of the same build as the gateway. */
export const { AgentRuntime } = built;

/** Makes the reader an operator, who may decide on approvals and set up a model. */
const TOKEN = 'token-of-the-pictures';

const ENVIRONMENT = {
  OPENCLAW_AUTH_TOKEN: TOKEN,
  OPENCLAW_STORE_URL: 'sqlite::memory:',
  OPENCLAW_GATEWAY_PORT: '0',
  OPENCLAW_LOG_LEVEL: 'error',
  OPENCLAW_AGENT_NAME: 'Ada',
};

/** A running web chat. */
export interface ScriptedChat {
  /** Opens the chat in a new context, as a reader in Zurich sees it. `prepare` comes before the page is loaded. */
  open(options: BrowserContextOptions, prepare?: (page: Page) => Promise<unknown>): Promise<Page>;
  close(): Promise<void>;
}

/** Starts the gateway with an agent. `environment` adds to the settings. */
export async function startScriptedChat(
  agent: Type<InstanceType<typeof AgentRuntime>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<ScriptedChat> {
  Object.assign(process.env, ENVIRONMENT, environment);
  const module = {
    module: class ScriptedModule {},
    global: true,
    providers: [{ provide: AgentRuntime, useClass: agent }],
    exports: [AgentRuntime],
  };
  const app = await NestFactory.create(GatewayModule.forRoot({ agent: module }), createHttpAdapter(), {
    logger: false,
  });
  app.useWebSocketAdapter(new GatewayWsAdapter(app));
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/chat`;
  const browser = await launchBrowser();
  return {
    open: async (options, prepare) => {
      const context = await browser.newContext({
        locale: 'en-GB',
        timezoneId: 'Europe/Zurich',
        viewport: { width: 1180, height: 800 },
        ...options,
      });
      await context.addInitScript((token) => sessionStorage.setItem('openclaw.webchat.token', token), TOKEN);
      const page = await context.newPage();
      await prepare?.(page);
      await page.goto(url);
      return page;
    },
    close: async () => {
      await browser.close();
      await app.close();
    },
  };
}
