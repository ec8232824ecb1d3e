import { markPageText } from './marked-text.js';
import { renderTree } from './render-tree.js';
import { ShownPage } from './shown-page.js';
import type { ReadPage, Tab } from './tab.js';

/** Length of the page that is shown when an element has changed, in characters. */
const SHOWN_BUDGET = 12_000;

/** Reads the page again, and compares the element with what the agent has seen. @throws Error if it has changed */
export async function readUnchanged(tab: Tab, ref: string): Promise<ReadPage> {
  const { shown } = tab;
  if (!shown) throw new Error(`${ref} is of an older page; take a snapshot`);
  const now = await tab.read();
  const fault = shown.findFault(ref, now.root);
  if (!fault) return now;
  tab.shown = new ShownPage(now.root);
  const lines = [...(fault.now === undefined ? [] : [fault.now]), ...renderTree(now.root, SHOWN_BUDGET)];
  throw new Error(`${fault.reason}, nothing was done; this is the page now:\n${markPageText(lines)}`);
}
