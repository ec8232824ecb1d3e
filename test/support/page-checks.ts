import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ChatPage } from './chat-page.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The boxes of the page that may not be wider than their place. */
const BOXES =
  '.thread, .sidebar, .head, .strip, .writing, .founder, .dialog, .menu, .card, .card .field, .card .main, .bar, .page, .panel, .filters';

/** An expression: the boxes that stick out to the side, of the window or of their content. */
export const SIDEWAYS = `[document.documentElement, ...document.querySelectorAll('${BOXES}')]
  .filter((element) => element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.className || element.localName)`;

/** Resolves with what axe finds on a page: the rule, and each element with the reason. */
export async function findBarriers(chat: ChatPage): Promise<unknown> {
  await chat.page.evaluate(`(() => { ${axe} })()`);
  return chat.page.evaluate(`axe.run(document).then(({ violations }) => violations
    .map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => html + failureSummary)]))`);
}

/** Resolves with what sticks out or is a barrier on a page: at 320 pixels, then in each set of colours. */
export async function findFaults(chat: ChatPage): Promise<readonly unknown[]> {
  const { page } = chat;
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const faults = [await page.evaluate(SIDEWAYS)];
  if (size) await page.setViewportSize(size);
  for (const colours of [{ colorScheme: 'light' }, { colorScheme: 'dark' }, { forcedColors: 'active' }] as const) {
    await page.emulateMedia(colours);
    faults.push(await findBarriers(chat));
  }
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
  return faults.flat();
}
