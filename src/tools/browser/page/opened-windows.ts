import type { CDPSession, Page } from 'playwright-core';
import type { Clock } from '../../../core/time/clock.js';
import { within } from './within.js';

/** Addresses of windows that become tabs; `mailto:` and the like open a program instead. */
const OPENS_TAB = /^(https?|about|blob|data):/;

/**
 * The windows that a page has begun to open. The browser announces a window at once, and its tab when the tab has a
 * process: on a busy machine that is long after the act which opened it.
 */
export class OpenedWindows {
  private coming = 0;
  private readonly arrivals = new Set<() => void>();

  constructor(
    page: Pick<Page, 'on'>,
    private readonly clock: Clock,
  ) {
    page.on('popup', () => {
      this.coming = Math.max(0, this.coming - 1);
      if (this.coming === 0) this.release();
    });
    page.on('close', () => this.release());
  }

  /** Counts windows from now on. */
  async watch(cdp: CDPSession): Promise<void> {
    cdp.on('Page.windowOpen', ({ url }) => {
      if (OPENS_TAB.test(url)) this.coming++;
    });
    await cdp.send('Page.enable');
  }

  /**
   * Resolves when each window that the page has begun to open has its tab, or is not to be expected any more: when the page is
   * closed, and after `timeoutMs` milliseconds.
   */
  async whenThere(timeoutMs: number): Promise<void> {
    if (this.coming === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.arrivals.add(resolve);
    await within(this.clock, timeoutMs, promise).catch(() => this.release());
  }

  private release(): void {
    this.coming = 0;
    for (const resolve of this.arrivals) resolve();
    this.arrivals.clear();
  }
}
