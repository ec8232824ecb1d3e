import type { CDPSession, Dialog, Frame, Locator, Page, Response } from 'playwright-core';
import type { Clock } from '../../../core/time/clock.js';
import { pastChange } from './between-documents.js';
import { markPageText } from './marked-text.js';
import { createHider, readTree, type HideSecrets, type PageNode } from './page-tree.js';
import { probePage, withoutFrames } from './page-probe.js';
import { OpenedWindows } from './opened-windows.js';
import { ShownPage } from './shown-page.js';
import { watchDocuments } from './document-size.js';
import { LateError, within } from './within.js';

/** Time for the library to describe a page: a large one takes seconds. Its frames have responded before. */
const SNAPSHOT_TIMEOUT_MS = 15_000;
const QUESTION_TIMEOUT_MS = 3_000;
/** Time for a page to show something after it was requested, and after an act, in milliseconds. */
const LOAD_TIMEOUT_MS = 3_500;
const SETTLE_MS = 150;
const BUSY_TIMEOUT_MS = 1_000;
/** Dialogs within this time after which a tab is closed. */
const MAX_DIALOGS = 20;
const DIALOG_WINDOW_MS = 10_000;
const MAX_DIALOG_LENGTH = 500;
/** Values of secret fields that a tab remembers, also when the page shows them elsewhere later. */
const MAX_SECRETS = 500;
const MAX_NEWS = 50;
/** Schemes that a page may have in the end; an error of the browser itself is one of them. */
const ALLOWED = /^(https?:|about:blank$|chrome-error:)/;

/** A page as it was read. */
export interface ReadPage {
  readonly root: PageNode;
  readonly url: string;
  readonly title: string;
  /** Addresses of frames that did not respond. */
  readonly silent: readonly string[];
}

/** Returns whether a request of a page failed because its address is a file. */
export function isDownloadStart(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Download is starting');
}

/** One tab of a session's browser. */
export class Tab {
  /** The state of the page that the agent has seen last. */
  shown: ShownPage | undefined;
  hasCrashed = false;
  /** The address of the tab whose place it has taken. */
  replaces: string | undefined;
  /** While a download is wanted. */
  isTakingDownload = false;
  /** While an act accepts the dialogs that it opens. */
  acceptsDialogs = false;
  /** The events since the last result, as text of the page. */
  private readonly news: string[] = [];
  private readonly secrets = new Set<string>();
  private dialogTimes: number[] = [];
  /** Why its page is gone, until it is said. */
  private endReason: string | undefined;
  private readonly cdp: Promise<CDPSession>;
  private readonly windows: OpenedWindows;

  constructor(
    readonly id: number,
    readonly page: Page,
    private readonly clock: Clock,
  ) {
    this.cdp = page.context().newCDPSession(page);
    this.cdp.catch(() => {});
    this.windows = new OpenedWindows(page, clock);
    void this.cdp.then((cdp) => this.windows.watch(cdp)).catch(() => {});
    void this.cdp.then((cdp) => watchDocuments(cdp, (reason) => (this.endReason = reason))).catch(() => {});
    page.on('crash', () => (this.hasCrashed = true));
    page.on('dialog', (dialog) => void this.answer(dialog));
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame()) this.checkAddress().catch(() => {});
    });
    page.on('download', (download) => {
      if (this.isTakingDownload) return;
      this.addNews(
        `a download was refused: ${JSON.stringify(download.suggestedFilename())}; browser.download takes it`,
      );
    });
  }

  /** Adds text of the page to the next result. */
  addNews(text: string): void {
    if (this.news.length < MAX_NEWS) this.news.push(text);
  }

  takeNews(): readonly string[] {
    return this.news.splice(0);
  }

  /** Keeps a value from being seen again on this tab. */
  hide(secret: string): void {
    if (this.secrets.size < MAX_SECRETS) this.secrets.add(secret);
  }

  get hider(): HideSecrets {
    return createHider(this.secrets);
  }

  /** Requests a page. Resolves when it has something to show, without waiting for all of it. */
  async goto(url: string, timeoutMs: number): Promise<void> {
    this.shown = undefined;
    let realm: string | undefined;
    const watch = (response: Response) => {
      if (response.status() === 401 && response.frame() === this.page.mainFrame())
        realm = response.headers()['www-authenticate'] ?? '';
    };
    this.page.on('response', watch);
    try {
      await this.page.goto(url, { waitUntil: 'commit', timeout: timeoutMs });
    } catch (error) {
      const { message } = error as Error;
      if (isDownloadStart(error))
        throw new Error('this address is a file, and not a page; browser.download takes it', { cause: error });
      if (realm === undefined && !/ERR_INVALID_AUTH_CREDENTIALS/.test(message)) throw error;
      const asked = markPageText([`it asks for: ${JSON.stringify(realm ?? 'nothing')}`]);
      throw new Error(`the server wants a password (401), and none can be given:\n${asked}`, { cause: error });
    } finally {
      this.page.off('response', watch);
    }
    if (realm !== undefined)
      this.addNews(`the server wants a password (401) for ${JSON.stringify(realm)}; none can be given`);
    await this.settle();
  }

  /** Waits until what an act has begun is there, also as a tab of its own, and not for all that a page loads. */
  async settle(): Promise<void> {
    await this.clock.sleep(SETTLE_MS);
    await this.windows.whenThere(LOAD_TIMEOUT_MS);
    await this.page.waitForLoadState('load', { timeout: LOAD_TIMEOUT_MS }).catch(() => {});
    this.checkEnd();
    await this.checkAddress();
  }

  /** Reads the page. @throws LateError if its script is busy */
  async read(): Promise<ReadPage> {
    this.checkEnd();
    await this.checkAddress();
    const { secrets, silent } = await probePage(this.page, this.clock);
    for (const secret of secrets) this.hide(secret);
    const json = await withoutFrames(silent, this.clock, () =>
      within(this.clock, SNAPSHOT_TIMEOUT_MS, this.page.ariaSnapshotJSON({ mode: 'ai', timeout: SNAPSHOT_TIMEOUT_MS })),
    );
    const title = await within(this.clock, QUESTION_TIMEOUT_MS, this.page.title());
    const { hider } = this;
    return {
      root: readTree(json, hider),
      url: hider(this.page.url()),
      title: hider(title),
      silent: await Promise.all(silent.map((frame) => this.findAddress(frame))),
    };
  }

  /** Returns the address of a frame; of one that has not loaded, the one that its element names. */
  private async findAddress(frame: Frame): Promise<string> {
    if (frame.url() !== '') return this.hider(frame.url());
    const reading = frame.frameElement().then((element) => element.getAttribute('src'));
    const source = await within(this.clock, SETTLE_MS, reading).catch(() => null);
    return this.hider(source ?? '(no address)');
  }

  /** Returns the element with a ref of the newest snapshot. */
  locate(ref: string): Locator {
    return this.page.locator(`aria-ref=${ref}`);
  }

  /** The protocol of this tab. */
  protocol(): Promise<CDPSession> {
    return this.cdp;
  }

  /** Returns whether the page's own script lets others run. */
  async isBusy(): Promise<boolean> {
    try {
      await within(this.clock, BUSY_TIMEOUT_MS, this.page.evaluate('1'));
      return false;
    } catch (error) {
      return error instanceof LateError;
    }
  }

  async close(): Promise<void> {
    // The page may ask to stay; it is not asked.
    await within(this.clock, BUSY_TIMEOUT_MS, this.page.close({ runBeforeUnload: false })).catch(() => {});
  }

  /** @throws Error once with the reason why its page is gone */
  private checkEnd(): void {
    const reason = this.endReason;
    this.endReason = undefined;
    if (reason !== undefined) throw new Error(this.page.isClosed() ? `the tab was closed: ${reason}` : reason);
  }

  /**
   * Closes the tab if it shows anything but a web page. The browser itself is asked: the library hides `view-source:`.
   * @throws Error if it was closed
   */
  private async checkAddress(): Promise<void> {
    if (this.page.isClosed()) throw new Error('the tab was closed');
    const cdp = await this.cdp;
    const { entries, currentIndex } = await pastChange(this.clock, QUESTION_TIMEOUT_MS, () =>
      within(this.clock, QUESTION_TIMEOUT_MS, cdp.send('Page.getNavigationHistory')),
    );
    const { url = 'about:blank', userTypedURL = url } = entries[currentIndex] ?? {};
    const denied = [url, userTypedURL].find((address) => address !== '' && !ALLOWED.test(address));
    if (denied === undefined) return;
    await this.close();
    throw new Error(`the tab was closed: it led to ${denied.split(':')[0]}:, and only http: and https: are allowed`);
  }

  /** Answers at once, since the page stands still until then. */
  private async answer(dialog: Dialog): Promise<void> {
    const now = this.clock.elapsed();
    this.dialogTimes = [...this.dialogTimes.filter((time) => now - time < DIALOG_WINDOW_MS), now];
    const accepts = this.acceptsDialogs || dialog.type() === 'beforeunload';
    const text = JSON.stringify(dialog.message().slice(0, MAX_DIALOG_LENGTH));
    this.addNews(`dialog ${dialog.type()} ${text}: ${accepts ? 'accepted' : 'dismissed'}`);
    await (accepts ? dialog.accept() : dialog.dismiss()).catch(() => {});
    if (this.dialogTimes.length > MAX_DIALOGS) {
      this.endReason = `it opened ${MAX_DIALOGS} dialogs in a row`;
      this.addNews(`the tab was closed after ${MAX_DIALOGS} dialogs in a row`);
      await this.close();
    }
  }
}
