import { markPageText } from './marked-text.js';
import type { ReadPage, Tab } from './tab.js';
import type { SessionBrowser } from './session-browser.js';
import { findElement } from './page-tree.js';
import { renderTree } from './render-tree.js';
import { ShownPage } from './shown-page.js';

/** Length of what is shown of a page, in characters: about 6,000 tokens, and 25,000 if all of it is asked for. */
const BUDGET = 24_000;
const FULL_BUDGET = 100_000;

/** The result of a call. */
export interface PageResult {
  /** The current tab. */
  readonly tab?: number;
  /** Notes of the gateway. */
  readonly notes?: readonly string[];
  /** Text of the page, as marked data. */
  readonly page: string;
}

export function buildResult(own: SessionBrowser, lines: readonly string[]): PageResult {
  const news = own.takeNews().map((text) => `event: ${text}`);
  const notes = own.takeNotes();
  const tab = own.listTabs().find((one) => own.isCurrent(one));
  return {
    ...(tab && { tab: tab.id }),
    ...(notes.length > 0 && { notes }),
    page: markPageText([...news, ...lines]),
  };
}

/** Returns the lines that name a page. */
export function describePage({ url, title, silent }: ReadPage): readonly string[] {
  const silence =
    silent.length === 1
      ? '1 frame did not respond and is not shown'
      : `${silent.length} frames did not respond and are not shown`;
  return [
    `url: ${JSON.stringify(url)}`,
    `title: ${JSON.stringify(title)}`,
    ...(silent.length > 0
      ? [
          `${silence}: ${silent
            .slice(0, 5)
            .map((one) => JSON.stringify(one))
            .join(', ')}`,
        ]
      : []),
  ];
}

/** Reads the page of a tab and returns it as the agent sees it. */
export async function showPage(
  own: SessionBrowser,
  tab: Tab,
  { isFull = false, ref }: { readonly isFull?: boolean; readonly ref?: string | undefined } = {},
): Promise<PageResult> {
  const page = await tab.read();
  tab.shown = new ShownPage(page.root);
  const part = ref === undefined ? page.root : findElement(page.root, ref)?.node;
  if (!part) throw new Error(`there is no ${ref} on the page`);
  return buildResult(own, [...describePage(page), ...renderTree(part, isFull ? FULL_BUDGET : BUDGET)]);
}
