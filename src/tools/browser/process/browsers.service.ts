import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../../../core/config/config-store.service.js';
import { StartStep, StopStep } from '../../../core/lifecycle/steps.js';
import { isOfJob } from '../../../core/sessions/firing.js';
import { SessionResources, type SessionResource } from '../../../core/sessions/session-resources.js';
import { Logs, type Log } from '../../../core/telemetry/logs.js';
import { Clock } from '../../../core/time/clock.js';
import type { ToolCallContext } from '../../../core/tools/tool.js';
import { EgressGuard } from '../../../http/egress/egress-guard.js';
import { BrowserFolder } from './browser-folder.js';
import { KeptStates } from './kept-states.js';
import { OwnAddressesService } from './own-addresses.service.js';
import { removeLeftovers } from './run-folder.js';
import { RunningBrowser } from './running-browser.js';
import { SessionBrowser } from '../page/session-browser.js';
import type { Tab } from '../page/tab.js';
import { LateError, within } from '../page/within.js';

/** Time after which the context of a session that uses it no more is closed, in milliseconds. */
const IDLE_MS = 600_000;
const SWEEP_INTERVAL_MS = 30_000;
/** Time for a browser to respond after a call was late, in milliseconds. */
const RESPONSE_TIMEOUT_MS = 2_000;
/** Time for a new tab to load its page after a call was late: the agent has waited long enough. */
const RELOAD_WAIT_MS = 300;
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 300_000;
const MAX_REASON_LENGTH = 2_000;

/** The part of a call's context that the browser needs. */
export type BrowserCall = Pick<ToolCallContext, 'session' | 'caller' | 'signal'>;

/**
 * The browser of all sessions: started with the first call, ended with the last context. Each session has a context of
 * its own. Calls have a time limit, and a browser that does not respond is killed and started again at the next call.
 */
@Injectable()
export class BrowsersService {
  private readonly log: Log;
  private readonly guard: EgressGuard;
  private readonly kept: KeptStates;
  private readonly sessionOf: SessionResource<SessionBrowser>;
  private readonly sessions = new Set<SessionBrowser>();
  private running: Promise<RunningBrowser> | undefined;
  private starting: Promise<RunningBrowser> | undefined;
  private stopSweeping: (() => void) | undefined;
  private failures = 0;
  /** No start before this time, in {@link Clock.elapsed}, for this reason. */
  private pause: { readonly until: number; readonly reason: string } | undefined;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    private readonly folder: BrowserFolder,
    own: OwnAddressesService,
    resources: SessionResources,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
    this.guard = new EgressGuard(() => config.get('tools.browser.allow_hosts'), undefined, {
      setting: 'tools.browser.allow_hosts',
      namesRange: true,
      isOwn: (url, addresses) => own.includes(url, addresses),
    });
    this.kept = new KeptStates(
      () => join(folder.path, 'states'),
      () => config.get('tools.browser.persist'),
    );
    this.sessionOf = resources.register({
      name: 'browser',
      open: async (id: string) => this.addSession(id),
      close: (session) => this.removeSession(session),
      durable: this.kept,
    });
  }

  /** Removes in the background what a crash has left. */
  @StartStep({ name: 'remove leftovers of the browser', phase: 'register' })
  removeLeftovers(): void {
    removeLeftovers(this.folder.path).then(
      (removed) => removed > 0 && this.log.info({ removed }, 'removed what an earlier process left of the browser'),
      (error: unknown) => this.log.warn({ error }, 'leftovers of the browser could not be removed'),
    );
  }

  @StopStep({ name: 'close the browser', phase: 'release', after: ['close resources of sessions'] })
  async stop(): Promise<void> {
    await this.endRunning();
  }

  /** Checks the address of a page. @throws EgressDeniedError */
  async checkUrl(url: string): Promise<URL> {
    return (await this.guard.check(url)).url;
  }

  get callTimeoutMs(): number {
    return this.config.get('tools.browser.call_timeout_ms');
  }

  /** The browser that runs. @throws Error if none does */
  async getRunning(): Promise<RunningBrowser> {
    if (!this.running) throw new Error('the browser is closed');
    return this.running;
  }

  /**
   * Runs an action in the browser of a session, one at a time, within the time limit.
   * @throws Error with the reason for the agent
   */
  async use<T>({ session, caller, signal }: BrowserCall, action: (own: SessionBrowser) => Promise<T>): Promise<T> {
    this.checkEnabled();
    return this.sessionOf.use(session.id, (own) =>
      own.inTurn(async () => {
        signal.throwIfAborted();
        own.isOfJob = isOfJob(caller);
        await this.open(own);
        return this.act(own, action);
      }),
    );
  }

  /** Runs an action if the session has a browser open; undefined otherwise. */
  async useIfOpen<T>({ session }: BrowserCall, action: (own: SessionBrowser) => Promise<T>): Promise<T | undefined> {
    const isOpen = [...this.sessions].some((own) => own.sessionId === session.id && own.isOpen);
    if (!isOpen) return undefined;
    return this.sessionOf.use(session.id, (own) => own.inTurn(() => this.act(own, action)));
  }

  private checkEnabled(): void {
    if (!this.config.get('tools.browser.enabled')) throw new Error('the browser is off: set tools.browser.enabled');
  }

  private async act<T>(own: SessionBrowser, action: (own: SessionBrowser) => Promise<T>): Promise<T> {
    const startedAt = this.clock.elapsed();
    try {
      return await within(this.clock, this.callTimeoutMs, action(own));
    } catch (error) {
      const ms = Math.round(this.clock.elapsed() - startedAt);
      if (isLate(error)) throw new Error(`timed_out: ${await this.explainLate(own, error, ms)}`, { cause: error });
      const reason = await this.explainEnd(own);
      if (reason !== undefined) throw new Error(reason, { cause: error });
      throw new Error(shorten(error), { cause: error });
    }
  }

  private async explainLate(own: SessionBrowser, error: Error, ms: number): Promise<string> {
    const running = await this.running?.catch(() => undefined);
    if (running && !(await running.isResponsive(RESPONSE_TIMEOUT_MS))) {
      await running.kill();
      return 'the browser did not respond and was ended; the next call starts it again';
    }
    const tab = own.listTabs().find((one) => own.isCurrent(one));
    if (tab && (await tab.isBusy())) {
      const place = await own.replace(tab, this.callTimeoutMs / 2, RELOAD_WAIT_MS);
      return `the page's own script is busy; its tab was replaced by a new one${place}`;
    }
    return error instanceof LateError ? `the page did not do it within ${ms} ms` : shorten(error);
  }

  /** Returns what has ended under a call; undefined if nothing has. */
  private async explainEnd(own: SessionBrowser): Promise<string | undefined> {
    const running = await this.running?.catch(() => undefined);
    if (running?.hasEnded !== false) return 'the browser has ended; the next call starts it again';
    const crashed = own.listTabs().find((tab) => tab.hasCrashed);
    if (!crashed) return undefined;
    return `the page has crashed; its tab was replaced by a new one${await this.replace(own, crashed)}`;
  }

  private async open(own: SessionBrowser): Promise<void> {
    if (own.isOpen) {
      for (const tab of own.listTabs().filter(({ hasCrashed }) => hasCrashed)) await this.replace(own, tab);
      return;
    }
    await this.makeRoom(own);
    const running = await this.start();
    await within(this.clock, this.callTimeoutMs, own.open(running, this.callTimeoutMs)).catch(
      async (error: unknown) => {
        if (error instanceof LateError) await running.kill();
        throw error;
      },
    );
  }

  private replace(own: SessionBrowser, tab: Tab): Promise<string> {
    const timeoutMs = this.callTimeoutMs / 2;
    return own.replace(tab, timeoutMs, timeoutMs);
  }

  private async makeRoom(own: SessionBrowser): Promise<void> {
    const open = [...this.sessions].filter((other) => other !== own && other.isOpen);
    const excess = open.length + 1 - this.config.get('tools.browser.max_contexts');
    const idle = open.filter(({ isInUse }) => !isInUse).sort(compareClaims);
    if (excess > idle.length) throw new Error('all browsers are in use; try again later (tools.browser.max_contexts)');
    for (const other of idle.slice(0, Math.max(0, excess))) {
      await other.inTurn(() => other.close());
      other.addNote('the pages of this conversation were closed, since other conversations needed the browser');
    }
  }

  private async start(): Promise<RunningBrowser> {
    const running = await this.running?.catch(() => undefined);
    if (running?.hasEnded === false) return running;
    if (this.pause && this.clock.elapsed() < this.pause.until) {
      const seconds = Math.ceil((this.pause.until - this.clock.elapsed()) / 1_000);
      throw new Error(`${this.pause.reason}; it is tried again in ${seconds} s`);
    }
    return (this.starting ??= this.launch().finally(() => (this.starting = undefined)));
  }

  private async launch(): Promise<RunningBrowser> {
    this.running = RunningBrowser.start({
      executable: this.config.get('tools.browser.executable'),
      cdpUrl: this.config.get('tools.browser.cdp_url'),
      args: this.config.get('tools.browser.args'),
      guard: this.guard,
      root: this.folder.path,
      clock: this.clock,
    });
    try {
      const running = await this.running;
      this.failures = 0;
      this.pause = undefined;
      this.stopSweeping ??= this.clock.setRepeating(SWEEP_INTERVAL_MS, () => void this.closeIdle());
      this.log.info({ pid: running.process?.pid, sandbox: process.getuid?.() !== 0 }, 'the browser has started');
      return running;
    } catch (error) {
      const reason = shorten(error);
      const pauseMs = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** this.failures++);
      this.pause = { until: this.clock.elapsed() + pauseMs, reason };
      this.log.warn({ reason, pause_ms: pauseMs }, 'the browser does not start');
      throw error;
    }
  }

  private addSession(id: string): SessionBrowser {
    const session = new SessionBrowser(id, this.clock, this.kept);
    this.sessions.add(session);
    return session;
  }

  private async removeSession(session: SessionBrowser): Promise<void> {
    this.sessions.delete(session);
    await session.close();
    await this.endIfUnused();
  }

  /** Closes the contexts that no call has used for ten minutes. */
  async closeIdle(): Promise<void> {
    const now = this.clock.elapsed();
    for (const session of this.sessions) {
      if (!session.isOpen || session.isInUse || now - session.usedAt < IDLE_MS) continue;
      await session.inTurn(() => session.close());
      session.addNote('the pages of this conversation were closed after ten minutes without a call');
    }
    await this.endIfUnused();
  }

  /** Closes the pages of a session now. */
  async closePages(own: SessionBrowser): Promise<void> {
    await own.close();
    await this.endIfUnused(own);
  }

  /** @param caller whose own call does not count as a use */
  private async endIfUnused(caller?: SessionBrowser): Promise<void> {
    const isUsed = (session: SessionBrowser) => session.isOpen || (session !== caller && session.isInUse);
    if (this.starting || [...this.sessions].some(isUsed)) return;
    await this.endRunning();
  }

  private async endRunning(): Promise<void> {
    this.stopSweeping?.();
    this.stopSweeping = undefined;
    const running = await this.running?.catch(() => undefined);
    this.running = undefined;
    await running?.close();
  }
}

/** Returns whether our own time or that of the library was over. */
function isLate(error: unknown): error is Error {
  return error instanceof LateError || (error instanceof Error && error.name === 'TimeoutError');
}

/** Those of jobs go first: no person waits for their pages. */
function compareClaims(a: SessionBrowser, b: SessionBrowser): number {
  return Number(b.isOfJob) - Number(a.isOfJob) || a.usedAt - b.usedAt;
}

/** Returns the reason of a failure in a few lines: errors of the library have a log of what it tried. */
function shorten(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [cause = ''] = message.split(/\nCall log:/);
  return stripVTControlCharacters(cause)
    .replace(/^\w+\.\w+: /, '')
    .slice(0, MAX_REASON_LENGTH);
}
