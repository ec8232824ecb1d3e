import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import type { Browser, BrowserContext, BrowserContextOptions, CDPSession } from 'playwright-core';
import type { EgressGuard } from '../../../http/egress/egress-guard.js';
import type { Clock } from '../../../core/time/clock.js';
import { EgressProxy } from './egress-proxy.js';
import { findChromium } from './find-chromium.js';
import { loadChromium } from './playwright.js';
import { identify, killGroup, type ProcessIdentity } from './process-identity.js';
import { RunFolder } from './run-folder.js';
import { testGuard } from './self-test.js';
import { within } from '../page/within.js';

/** Time limit of a start, self-test included, in milliseconds. */
const START_TIMEOUT_MS = 30_000;
/** Time for a browser to close by itself, in milliseconds. */
const CLOSE_TIMEOUT_MS = 2_000;
const MAX_COMPLAINT_LENGTH = 1_000;

const FLAGS = [
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'],
  ...['--no-first-run', '--no-pings', '--disable-gpu', '--disable-dev-shm-usage'],
  // The first has an effect in a whole Chromium only, the second in one that is built without a window only.
  '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
];

/** Removes what sends packets past a proxy, in a browser whose flags are not ours. */
const WITHOUT_WEBRTC = `for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel'])
  delete globalThis[name];`;

/** The parameters of a start. */
export interface BrowserStart {
  readonly executable: string | undefined;
  readonly cdpUrl: string | undefined;
  readonly args: readonly string[];
  readonly guard: EgressGuard;
  /** The folder in which the run's own folder is made. */
  readonly root: string;
  readonly clock: Clock;
}

/** The parts of a run. */
interface Parts {
  readonly browser: Browser;
  readonly cdp: CDPSession;
  readonly proxy: EgressProxy;
  /** Undefined for a browser that runs elsewhere. */
  readonly folder?: RunFolder;
  readonly process?: ProcessIdentity;
  readonly contextOptions: BrowserContextOptions;
}

/** A browser that passed its self-test, with its proxy and its folder. */
export class RunningBrowser {
  private ending: Promise<void> | undefined;
  private last: Promise<unknown> = Promise.resolve();
  /** True once it has ended, by itself or not. */
  hasEnded = false;

  private constructor(
    private readonly parts: Parts,
    readonly clock: Clock,
  ) {
    parts.browser.once('disconnected', () => void this.kill());
  }

  /** Starts or connects. @throws Error with the reason for people; then nothing is left */
  static async start(start: BrowserStart): Promise<RunningBrowser> {
    const parts = start.cdpUrl === undefined ? await launch(start) : await connectTo(start, start.cdpUrl);
    const running = new RunningBrowser(parts, start.clock);
    try {
      await within(start.clock, START_TIMEOUT_MS, testGuard(running, start.clock));
      return running;
    } catch (error) {
      await running.kill();
      throw error;
    }
  }

  get proxy(): EgressProxy {
    return this.parts.proxy;
  }

  /** The process that was started; undefined for a browser that runs elsewhere. */
  get process(): ProcessIdentity | undefined {
    return this.parts.process;
  }

  /** The protocol of the browser as a whole. */
  get cdp(): CDPSession {
    return this.parts.cdp;
  }

  /** The folder for downloads; undefined for a browser that runs elsewhere. */
  get downloads(): string | undefined {
    return this.parts.folder?.downloads;
  }

  /** Makes a context that shares nothing with others. */
  async newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.parts.browser.newContext({
      acceptDownloads: false,
      ...this.parts.contextOptions,
      ...options,
    });
    if (!this.parts.process) await context.addInitScript(WITHOUT_WEBRTC);
    return context;
  }

  /** Runs actions that concern the browser as a whole one after the other. */
  exclusively<T>(action: () => Promise<T>): Promise<T> {
    const result = this.last.then(action);
    this.last = result.catch(() => {});
    return result;
  }

  /** Returns whether the browser itself, and not only a page, responds within `ms`. */
  async isResponsive(ms: number): Promise<boolean> {
    try {
      await within(this.clock, ms, this.parts.cdp.send('Browser.getVersion'));
      return true;
    } catch {
      return false;
    }
  }

  /** Closes it, by force if it does not close by itself. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    await within(this.clock, CLOSE_TIMEOUT_MS, this.parts.browser.close()).catch(() => {});
    await this.kill();
  }

  /** Ends it without asking it. Resolves when nothing of it is left. */
  kill(): Promise<void> {
    this.hasEnded = true;
    return (this.ending ??= endParts(this.parts, this.clock));
  }
}

async function endParts({ browser, process, proxy, folder }: Parts, clock: Clock): Promise<void> {
  if (process) killGroup(process);
  await within(clock, CLOSE_TIMEOUT_MS, browser.close()).catch(() => {});
  await proxy.close();
  await folder?.remove();
}

async function launch({ executable, args, guard, root, clock }: BrowserStart): Promise<Parts> {
  const executablePath = findChromium(executable);
  const chromium = await loadChromium();
  const folder = await RunFolder.make(root);
  const proxy = await EgressProxy.start(guard, { host: '127.0.0.1' });
  try {
    const context = await within(
      clock,
      START_TIMEOUT_MS + CLOSE_TIMEOUT_MS,
      chromium.launchPersistentContext(folder.profile, {
        executablePath,
        headless: true,
        args: [...FLAGS, ...args],
        // The option and not an argument: a browser by itself goes past a proxy to this machine and 169.254.0.0/16.
        proxy: { server: proxy.url },
        chromiumSandbox: process.getuid?.() !== 0,
        env: buildEnvironment(folder),
        downloadsPath: folder.downloads,
        artifactsDir: folder.tmp,
        acceptDownloads: false,
        ...{ handleSIGHUP: false, handleSIGINT: false, handleSIGTERM: false },
        timeout: START_TIMEOUT_MS,
      }),
    );
    const browser = context.browser();
    if (!browser) throw new Error('it has no handle');
    const cdp = await browser.newBrowserCDPSession();
    const identity = await findProcess(cdp);
    await folder.note(identity);
    return { browser, cdp, proxy, folder, ...(identity && { process: identity }), contextOptions: {} };
  } catch (error) {
    await proxy.close();
    await folder.remove();
    throw new Error(`the browser does not start: ${explain(error)}`, { cause: error });
  }
}

/** Connects to a browser that runs elsewhere. The proxy listens on the address by which that machine is reached. */
async function connectTo({ guard, clock }: BrowserStart, cdpUrl: string): Promise<Parts> {
  let proxy: EgressProxy | undefined;
  try {
    const chromium = await loadChromium();
    const url = new URL(cdpUrl);
    // DevTools refuses the names of other hosts.
    const { address, family } = await lookup(url.hostname.replace(/^\[|\]$/g, ''));
    url.hostname = family === 6 ? `[${address}]` : address;
    const port = Number(url.port || (/^(https|wss):$/.test(url.protocol) ? '443' : '80'));
    const credential = { username: 'gateway', password: randomBytes(24).toString('base64url') };
    proxy = await EgressProxy.start(guard, { host: await findOwnAddress(address, port), credential });
    const connecting = chromium.connectOverCDP(url.href, { timeout: START_TIMEOUT_MS });
    const browser = await within(clock, START_TIMEOUT_MS + CLOSE_TIMEOUT_MS, connecting);
    const cdp = await browser.newBrowserCDPSession();
    return { browser, cdp, proxy, contextOptions: { proxy: { server: proxy.url, ...credential } } };
  } catch (error) {
    await proxy?.close();
    throw new Error(`the browser at tools.browser.cdp_url cannot be reached: ${explain(error)}`, { cause: error });
  }
}

async function findOwnAddress(host: string, port: number): Promise<string> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return socket.localAddress ?? '127.0.0.1';
  } finally {
    socket.destroy();
  }
}

async function findProcess(cdp: CDPSession): Promise<ProcessIdentity | undefined> {
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  const pid = processInfo.find(({ type }) => type === 'browser')?.id;
  return pid === undefined ? undefined : identify(pid);
}

/** Returns the environment of the browser, without the secrets that the gateway's own may hold. */
function buildEnvironment({ path, tmp }: RunFolder): Record<string, string> {
  const kept = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'FONTCONFIG_PATH', 'SystemRoot'];
  const given = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...(Object.fromEntries(given) as Record<string, string>), HOME: path, TMPDIR: tmp, TEMP: tmp };
}

/** Returns the last lines that the browser itself printed, else the beginning of the library's error. */
function explain(error: unknown): string {
  const message = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
  const said = [...new Set(Array.from(message.matchAll(/\[err\] (.+)/g), ([, line]) => line))];
  return (said.length > 0 ? said.slice(-3).join('; ') : (message.split('\n')[0] ?? '')).slice(-MAX_COMPLAINT_LENGTH);
}
