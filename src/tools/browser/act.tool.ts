import Type, { type Static } from 'typebox';
import type { Locator } from 'playwright-core';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import type { CallReview, ReviewContext, ToolCallContext } from '../../core/tools/tool.js';
import { text } from '../../protocol/text.js';
import { BrowsersService } from './process/browsers.service.js';
import { CALL_TIMEOUT_MS, PERMISSION, Ref } from './page-tools.js';
import { buildResult, describePage, showPage, type PageResult } from './page/page-result.js';
import { renderTree } from './page/render-tree.js';
import type { SessionBrowser } from './page/session-browser.js';
import { ShownPage } from './page/shown-page.js';
import type { ReadPage, Tab } from './page/tab.js';
import { readUnchanged } from './page/unchanged.js';
import { PageFilesService, type PageFile } from './page/page-files.js';
import { judgeAct, judgeUnseen, readActFacts } from './act-review.js';

/** Time for an element to become ready for an act, in milliseconds. */
const ACT_TIMEOUT_MS = 5_000;
/** Length of the page that is compared before and after an act, and of the changes that are shown, in characters. */
const COMPARED_BUDGET = 100_000;
const SHOWN_BUDGET = 12_000;
const SCROLL_PIXELS = 600;

const ACTIONS = ['click', 'fill', 'select', 'press', 'hover', 'scroll', 'upload'] as const;

const Parameters = Type.Object(
  {
    ref: Ref,
    action: Type.Enum([...ACTIONS]),
    value: Type.Optional(
      text(
        { min: 0, max: 65_536, controls: true },
        'fill: the text. select: the option. press: a key such as Enter. scroll: up or down. upload: the media_id of a file of this conversation.',
      ),
    ),
    dialogs: Type.Optional(
      Type.Enum(['accept', 'dismiss'], { description: 'The answer to dialogs that the act opens. Default: dismiss.' }),
    ),
  },
  { additionalProperties: false },
);
type Act = Static<typeof Parameters>;

/** Acts on an element, if it still is what the agent has seen. */
@Tool({
  name: 'browser.act',
  description: 'Acts on an element of the current page by its ref, and returns what has changed.',
  parameters: Parameters,
  permissions: [PERMISSION],
  timeoutMs: CALL_TIMEOUT_MS,
})
export class BrowserActTool implements ToolExecutor<typeof Parameters> {
  constructor(
    private readonly browsers: BrowsersService,
    private readonly config: ConfigStoreService,
    private readonly files: PageFilesService,
  ) {}

  /** Looks at the element without reading the page; `execute` does it again when the page is known to be unchanged. */
  async review(act: Act, call: ReviewContext): Promise<CallReview> {
    const review = await this.browsers.useIfOpen(call, (own) => this.judge(own.current, act, call));
    return review ?? judgeUnseen(act);
  }

  execute(act: Act, call: ToolCallContext): Promise<PageResult> {
    return this.browsers.use(call, async (own) => {
      const tab = own.current;
      const before = await readUnchanged(tab, act.ref);
      const review = await this.judge(tab, act, call);
      if (!review) throw new Error(`${act.ref} does not respond, nothing was done`);
      if (review.needsApproval && review.shown !== call.approved)
        throw new Error('what it would do has changed since it was reviewed; call it again');
      const file = act.action === 'upload' ? await this.files.readFor(call, act.value ?? '') : undefined;
      tab.acceptsDialogs = act.dialogs === 'accept';
      try {
        await perform(tab.locate(act.ref), act, file);
        return await describeChange(own, tab, before);
      } finally {
        tab.acceptsDialogs = false;
      }
    });
  }

  /** Returns undefined if the element is not there or does not respond. */
  private async judge(tab: Tab, act: Act, call: ReviewContext): Promise<CallReview | undefined> {
    const node = tab.shown?.find(act.ref);
    if (!node) return undefined;
    const facts = await readActFacts(tab.locate(act.ref), ACT_TIMEOUT_MS).catch(() => undefined);
    if (!facts) return undefined;
    if (facts.isSecret && act.value !== undefined) tab.hide(act.value);
    const file = act.action === 'upload' ? await this.files.find(call, act.value ?? '') : undefined;
    return judgeAct(act, node, facts, {
      file,
      url: tab.hider(tab.page.url()),
      asksForSubmits: this.config.get('tools.browser.confirm_submits'),
    });
  }
}

async function perform(element: Locator, { action, value = '' }: Act, file?: PageFile): Promise<void> {
  const options = { timeout: ACT_TIMEOUT_MS };
  switch (action) {
    case 'click':
      return element.click(options);
    case 'fill':
      return element.fill(value, options);
    case 'select':
      await element.selectOption(value, options);
      return undefined;
    case 'press':
      return element.press(value, options);
    case 'hover':
      return element.hover(options);
    case 'upload':
      return upload(element, file);
    case 'scroll': {
      await element.scrollIntoViewIfNeeded(options);
      if (value === '') return undefined;
      await element.hover(options);
      return element.page().mouse.wheel(0, value === 'up' ? -SCROLL_PIXELS : SCROLL_PIXELS);
    }
  }
}

/** Gives a file to a field, or to the field that a click on the element asks for. */
async function upload(element: Locator, file: PageFile | undefined): Promise<void> {
  if (!file) return;
  const options = { timeout: ACT_TIMEOUT_MS };
  if ((await element.getAttribute('type', options)) === 'file') return element.setInputFiles(file, options);
  const [chooser] = await Promise.all([element.page().waitForEvent('filechooser', options), element.click(options)]);
  return chooser.setFiles(file, options);
}

/** Returns the lines that an act has added and removed; the whole page if it is another one. */
async function describeChange(own: SessionBrowser, tab: Tab, before: ReadPage): Promise<PageResult> {
  // A tab that the act opens is reported a little later.
  await tab.settle();
  const { current } = own;
  if (current !== tab) {
    await current.settle();
    return showPage(own, current);
  }
  const after = await tab.read();
  tab.shown = new ShownPage(after.root);
  if (before.url !== after.url) return showPage(own, tab);
  const [old, fresh] = [renderTree(before.root, COMPARED_BUDGET), renderTree(after.root, COMPARED_BUDGET)];
  const [gone, added] = [without(old, fresh), without(fresh, old)];
  const changes = [...gone.map((line) => `removed ${line.trim()}`), ...added.map((line) => `added ${line.trim()}`)];
  return buildResult(own, [...describePage(after), ...limit(changes.length > 0 ? changes : ['nothing has changed'])]);
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others);
  return lines.filter((line) => !known.has(line));
}

function limit(lines: readonly string[]): readonly string[] {
  let left = SHOWN_BUDGET;
  const kept = lines.filter((line) => (left -= line.length + 1) >= 0);
  return kept.length === lines.length
    ? kept
    : [...kept, `(${lines.length - kept.length} more changes; browser.snapshot shows the page)`];
}
