import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Resolves with the address that a page has now. Playwright's own `page.url()` follows a change of the page's script later. */
export function addressOf(page: Page): Promise<string> {
  return page.evaluate<string>('location.href');
}

/** The boxes of the page that may not be wider than their place. */
const BOXES =
  '.thread, .sidebar, .head, .strip, .writing, .founder, .dialog, .menu, .card, .card .field, .card .main, .bar, .page, .panel, .filters';

/** An expression: the boxes that stick out to the side, of the window or of their content. */
export const SIDEWAYS = `[document.documentElement, ...document.querySelectorAll('${BOXES}')]
  .filter((element) => element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.className || element.localName)`;

interface HasPage {
  readonly page: Page;
}

/** The only rule of axe whose outcome depends on the colours of the page. */
const CONTRAST = { runOnly: ['color-contrast'] };

/** Resolves with what axe finds on a page: the rule, and each element with the reason. @param options those of `axe.run` */
export async function findBarriers({ page }: HasPage, options: object = {}): Promise<readonly unknown[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(`(() => { ${axe} })()`);
  return page.evaluate(`axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations
    .map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => html + failureSummary)]))`);
}

/** Resolves with what sticks out of a page at 320 pixels, and what is a barrier in a set of colours. */
export async function findFaults(chat: HasPage): Promise<readonly unknown[]> {
  const { page } = chat;
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const sideways = await page.evaluate(SIDEWAYS);
  if (size) await page.setViewportSize(size);
  return [sideways, ...(await findBarriersInColours(chat))].flat();
}

/** Resolves with the barriers of a page in each set of colours. */
export async function findBarriersInColours(chat: HasPage): Promise<readonly unknown[]> {
  const { page } = chat;
  const faults = [...(await findBarriers(chat))];
  for (const colours of [{ colorScheme: 'dark' }, { forcedColors: 'active' }] as const) {
    await page.emulateMedia(colours);
    faults.push(...(await findBarriers(chat, CONTRAST)));
  }
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
  return faults;
}
