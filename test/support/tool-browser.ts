import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { failure } from '../../src/core/tools/tool-outcomes.js';
import { ToolRegistryService } from '../../src/core/tools/tool-registry.service.js';
import type { ClientKey } from '../../src/core/store/index.js';
import type { CallReview, ToolOutcome } from '../../src/core/tools/tool.js';
import { BrowsersService } from '../../src/tools/browser/process/browsers.service.js';
import { AgentsService } from '../../src/core/agents/agents.service.js';
import { findBrowser } from './browser.js';
import { GatewayApp, type GatewayAppOptions } from './gateway-app.js';
import { close } from './loopback.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A site of the tests on loopback. */
export class TestSite {
  private readonly pages = new Map<string, Answer>();
  /** Paths that were requested, in order. */
  readonly requests: string[] = [];

  private constructor(readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { pathname } = new URL(request.url ?? '/', 'http://site');
      this.requests.push(pathname);
      const answer = this.pages.get(pathname);
      if (answer) answer(request, response);
      else response.writeHead(404).end();
    });
  }

  static async start(): Promise<TestSite> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TestSite(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  url(path: string): string {
    return `http://${this.host}${path}`;
  }

  /** Serves a page under a path, and returns its address. */
  page(path: string, html: string): string {
    return this.answer(path, (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html),
    );
  }

  answer(path: string, answer: Answer): string {
    this.pages.set(path, answer);
    return this.url(path);
  }

  async close(): Promise<void> {
    await close(this.server);
  }
}

/** The result of a tool of the browser. */
export interface BrowserOutcome {
  readonly ok: boolean;
  readonly tab?: number;
  readonly notes: readonly string[];
  /** The text of the page, with its marks; the message of a failure. */
  readonly page: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** A gateway in this process whose sessions may use a browser. */
export class BrowserGateway {
  /** What calls that need an approval have shown, in order. */
  readonly asked: string[] = [];
  /** True if the person approves them. */
  allows = true;
  /** Who calls, where it is not the client of a person. */
  caller: Partial<ClientKey> = {};

  private constructor(
    readonly gateway: GatewayApp,
    readonly folder: string,
  ) {}

  static async start(
    settings: Readonly<Record<string, unknown>> = {},
    options: Pick<GatewayAppOptions, 'clock'> = {},
  ): Promise<BrowserGateway> {
    const folder = mkdtempSync(join(tmpdir(), 'browser-'));
    const gateway = await GatewayApp.start({
      ...options,
      settings: {
        'store.url': `sqlite:${join(folder, 'gateway.db')}`,
        'tools.browser.enabled': true,
        'tools.browser.executable': await findBrowser(),
        'tools.default_permissions': ['browser'],
        ...settings,
      },
    });
    return new BrowserGateway(gateway, folder);
  }

  get root(): string {
    return join(this.folder, 'browser');
  }

  /** Ends the process of the current page of a session, as a page can. */
  async crashPage(sessionId = 's_one'): Promise<void> {
    const browsers = this.gateway.app.get(BrowsersService, { strict: false });
    const caller = { tenant: 'default', principal: 'local', clientId: 'test' };
    const call = { session: { id: sessionId } as never, caller, signal: new AbortController().signal };
    await browsers.use(call, async ({ current }) => {
      const crashed = current.page.waitForEvent('crash');
      void current.protocol().then((cdp) => cdp.send('Page.crash').catch(() => {}));
      await crashed;
    });
  }

  /** Names of the folders of runs. */
  listRuns(): readonly string[] {
    return listRunsIn(this.root);
  }

  /** Process ids of all processes of browsers of this gateway, zombies included. */
  listProcesses(): readonly number[] {
    return listProcessesOf(this.root);
  }

  /** Calls a tool as an agent in a session would. */
  async call(tool: string, parameters: object = {}, sessionId = 's_one'): Promise<BrowserOutcome> {
    const outcome = await this.callRaw(tool, parameters, sessionId);
    const content = (outcome.ok ? outcome.content : {}) as { tab?: number; notes?: string[]; page?: string };
    const reason = outcome.ok || !('reason' in outcome.details) ? undefined : outcome.details.reason;
    return {
      ok: outcome.ok,
      ...(content.tab !== undefined && { tab: content.tab }),
      notes: content.notes ?? [],
      page: outcome.ok ? (content.page ?? '') : (reason ?? outcome.message),
      content,
    };
  }

  async callRaw(tool: string, parameters: object, sessionId: string): Promise<ToolOutcome> {
    const review = await this.review(tool, parameters, sessionId);
    if (review.needsApproval) {
      this.asked.push(review.shown ?? '');
      if (!this.allows) return failure('TOOL_DENIED', { tool, reason: 'a person denied it' });
    }
    return review.run();
  }

  /** Reviews a call, which `run` starts. */
  async review(
    tool: string,
    parameters: object,
    sessionId = 's_one',
  ): Promise<CallReview & { readonly run: () => Promise<ToolOutcome> }> {
    const { app } = this.gateway;
    const agent = app.get(AgentsService, { strict: false }).list()[0];
    if (!agent) throw new Error('there is no agent');
    const session = {
      id: sessionId,
      tenant: 'default',
      agent: agent.id,
      mode: 'direct',
      channel: 'test',
      toolPermissions: [],
    };
    const registry = app.get(ToolRegistryService, { strict: false });
    const context = {
      callId: `c_${Math.random()}`,
      session: session as never,
      caller: { tenant: 'default', principal: 'local', clientId: 'test', ...this.caller },
      agent,
      signal: new AbortController().signal,
    };
    const refusal = registry.refuse(tool, parameters, context);
    const review = refusal ?? (await registry.review(tool, parameters, context));
    if ('code' in review) return { needsApproval: false, run: async () => review };
    const approved = review.needsApproval ? review.shown : undefined;
    const run = () => registry.execute(tool, parameters, { ...context, approved, reportProgress: () => {} });
    return { ...review, run };
  }

  async close(): Promise<void> {
    await this.gateway.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Names of the folders of runs in the folder of the browser of a gateway. */
export function listRunsIn(root: string): readonly string[] {
  try {
    return readdirSync(root).filter((name) => name.startsWith('run-'));
  } catch {
    return [];
  }
}

/** Process ids of all processes that name the folder of the browser of a gateway. */
export function listProcessesOf(root: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(root);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Returns the ref of the first line of a page that contains a text. */
export function refOf({ page }: BrowserOutcome, part: string): string {
  const line = page.split('\n').find((one) => one.includes(part)) ?? '';
  const ref = /\[ref=(\w+)\]/.exec(line)?.[1];
  if (ref === undefined) throw new Error(`no line with ${part} and a ref in ${page}`);
  return ref;
}

/** The site and the gateway of the tests of a file. */
export interface BrowserSuite {
  readonly site: TestSite;
  readonly browser: BrowserGateway;
}

/**
 * Starts a site and a gateway whose sessions may reach it, for the tests of a file. Each test begins without pages, and with
 * a person who approves.
 */
export function useBrowser(settings: Readonly<Record<string, unknown>> = {}): BrowserSuite {
  let site: TestSite;
  let browser: BrowserGateway;
  beforeAll(async () => {
    site = await TestSite.start();
    browser = await BrowserGateway.start({ 'tools.browser.allow_hosts': [site.host], ...settings });
  });
  beforeEach(() => {
    browser.asked.splice(0);
    browser.allows = true;
  });
  afterEach(() => browser.call('browser.close'));
  afterAll(async () => {
    await browser.close();
    await site.close();
  });
  return {
    get site() {
      return site;
    },
    get browser() {
      return browser;
    },
  };
}
