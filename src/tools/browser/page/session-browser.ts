import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { Clock } from '../../../core/time/clock.js';
import type { RunningBrowser } from '../process/running-browser.js';
import { Tab } from './tab.js';
import { within } from './within.js';

const MAX_TABS = 8;
const CLOSE_TIMEOUT_MS = 2_000;

/** The state of a context that a session keeps, as the library writes it. */
export type KeptState = Exclude<BrowserContextOptions['storageState'], string | undefined>;

/** Where the state of a session is kept. */
export interface StateKeeper {
  load(sessionId: string): Promise<KeptState | undefined>;
  save(sessionId: string, state: unknown): Promise<void>;
}

/** The browser of one session: a context of its own with its tabs, while it is open. */
export class SessionBrowser {
  private context: BrowserContext | undefined;
  private running: RunningBrowser | undefined;
  private readonly tabs: Tab[] = [];
  /** The current tab; undefined if none is open. Others {@link select} it. */
  active: Tab | undefined;
  /** While a tab of our own is to come. */
  private isOpening = false;
  private nextId = 1;
  private readonly notes: string[] = [];
  /** The news of closed tabs, as text of their pages. */
  private readonly lastNews: string[] = [];
  private turn: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  /** True if a job has used it last. */
  isOfJob = false;
  /** When it was used last, in {@link Clock.elapsed}. */
  usedAt = 0;

  constructor(
    readonly sessionId: string,
    private readonly clock: Clock,
    private readonly keeper: StateKeeper,
  ) {}

  /** Runs one call after the other: calls of one answer share the tabs. */
  async inTurn<T>(action: () => Promise<T>): Promise<T> {
    this.waiting++;
    const result = this.turn.then(action);
    this.turn = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.waiting--;
      this.usedAt = this.clock.elapsed();
    }
  }

  get isInUse(): boolean {
    return this.waiting > 0;
  }

  get isOpen(): boolean {
    return this.context !== undefined && this.running?.hasEnded === false;
  }

  /** Adds a note, which the agent gets with the next result. */
  addNote(note: string): void {
    if (!this.notes.includes(note)) this.notes.push(note);
  }

  takeNotes(): readonly string[] {
    return this.notes.splice(0);
  }

  /** Returns what pages have done since the last result, as text of pages. */
  takeNews(): readonly string[] {
    return [...this.lastNews.splice(0), ...this.tabs.flatMap((tab) => tab.takeNews())];
  }

  /** Opens the context. Tabs of a browser that has ended are gone. */
  async open(running: RunningBrowser, timeoutMs: number): Promise<void> {
    this.forget();
    const storageState = await this.keeper.load(this.sessionId);
    const context = await running.newContext({ ...(storageState && { storageState }) });
    context.setDefaultTimeout(timeoutMs);
    context.on('page', (page) => this.adopt(page));
    this.context = context;
    this.running = running;
  }

  listTabs(): readonly Tab[] {
    return this.tabs;
  }

  /** The tab that calls without a tab mean. @throws Error if there is none */
  get current(): Tab {
    if (!this.active) throw new Error('no page is open; use browser.open');
    return this.active;
  }

  isCurrent(tab: Tab): boolean {
    return tab === this.active;
  }

  /** Makes a tab the current one. @throws Error if there is none with this number */
  select(id: number): Tab {
    const tab = this.tabs.find((one) => one.id === id);
    if (!tab) throw new Error(`there is no tab ${id}`);
    return (this.active = tab);
  }

  /** Opens an empty tab, which becomes the current one. */
  async openTab(): Promise<Tab> {
    if (!this.context) throw new Error('the browser is closed');
    if (this.tabs.length >= MAX_TABS) {
      const [oldest] = this.tabs;
      await oldest?.close();
      this.addNote(`tab ${oldest?.id} was closed: there are at most ${MAX_TABS}`);
    }
    this.isOpening = true;
    const page = await this.context.newPage().finally(() => (this.isOpening = false));
    return this.tabs.find((tab) => tab.page === page) ?? this.addTab(page);
  }

  /**
   * Puts a new tab in the place of one that cannot be used any more, at the same address unless that was tried before: a
   * visit may have an effect. Waits for the page at most `waitMs` milliseconds.
   * @returns where the new tab is, in words that follow its name
   */
  async replace(tab: Tab, timeoutMs: number, waitMs: number): Promise<string> {
    const url = tab.page.url();
    // A page that hangs takes its time to close.
    void tab.close();
    this.drop(tab);
    const fresh = await this.openTab();
    const isAgain = tab.replaces === url;
    fresh.replaces = url;
    if (!isAgain) await within(this.clock, waitMs, fresh.goto(url, timeoutMs)).catch(() => {});
    const place = isAgain ? ', which is empty' : ' at the same address';
    this.addNote(`tab ${tab.id} was replaced by tab ${fresh.id}${place}; its refs have ended`);
    return place;
  }

  /** Closes the context and keeps its state. Resolves in a bounded time whatever the browser does. */
  async close(): Promise<void> {
    const { context, running } = this;
    this.forget();
    if (!context || running?.hasEnded !== false) return;
    await within(this.clock, CLOSE_TIMEOUT_MS, context.storageState())
      .then((state) => this.keeper.save(this.sessionId, state))
      .catch(() => {});
    await within(this.clock, CLOSE_TIMEOUT_MS, context.close()).catch(() => {});
  }

  private forget(): void {
    this.context = undefined;
    this.running = undefined;
    this.tabs.splice(0);
    this.active = undefined;
  }

  /** A page that a page has opened, or our own. */
  private adopt(page: Page): void {
    if (this.tabs.length >= MAX_TABS) {
      this.addNote(`a page opened more than ${MAX_TABS} tabs; the others were closed`);
      void page.close().catch(() => {});
      return;
    }
    const tab = this.addTab(page);
    if (!this.isOpening) this.addNote(`the page opened tab ${tab.id}, which is the current one now`);
    this.isOpening = false;
  }

  private addTab(page: Page): Tab {
    const tab = new Tab(this.nextId++, page, this.clock);
    this.tabs.push(tab);
    this.active = tab;
    page.once('close', () => this.drop(tab));
    return tab;
  }

  private drop(tab: Tab): void {
    const at = this.tabs.indexOf(tab);
    if (at === -1) return;
    this.tabs.splice(at, 1);
    this.lastNews.push(...tab.takeNews());
    if (this.active === tab) this.active = this.tabs.at(-1);
  }
}
