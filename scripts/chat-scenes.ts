/**
 * Takes pictures of every state of the web chat, to be looked at: `npm run build && node scripts/chat-scenes.ts FOLDER`.
 * One per scene and look: light, dark, phone, forced colours, right to left, zoomed, printed.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { AgentEvent, AgentTurn } from '../src/index.ts';
import { AgentRuntime, startScriptedChat } from './scripted-chat.ts';

const folder = process.argv[2] ?? 'scenes';
mkdirSync(folder, { recursive: true });

const ANSWER = `Here are the numbers. I did **not** store them: a person denied it.

| Region | Orders | Revenue | Refunds | Average basket | New customers | Returning |
|---|--:|--:|--:|--:|--:|--:|
| Switzerland | 12,410 | 1,240,000 | 4,100 | 99.90 | 1,204 | 8,110 |
| Germany | 58,001 | 5,310,020 | 19,004 | 91.50 | 6,310 | 40,200 |

## What to do

- [x] read the sheet
- [ ] store it in \`sheets\`

\`\`\`ts
for await (const line of file.readLines()) {
  if (line.includes(' 500 ')) console.log(line); // a comment
}
\`\`\`

> Numbers of the quarter are final on the third of the month.
`;

const DRAWN = `A formula, $\\overline{AB} = \\sqrt{x^2 + \\frac{1}{2}}$, and a path, $HOME:$PATH.

---

\`\`\`mermaid
graph LR
  A[Order] --> B{Paid?}
  B -->|yes| C[Send]
  B -->|no| D[Remind]
\`\`\`

\`\`\`mermaid
pie title Orders
  "Germany" : 58
  "Switzerland" : 12
  "France" : 9
\`\`\`
`;

/** Answers at once, calls a tool, fails or never ends, as the message asks. */
class Scripted extends AgentRuntime {
  override readonly name = 'scripted';

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const { message, signal } = turn;
    const { content } = message.payload;
    if (content.includes('fail')) throw new Error('the provider answered 529 three times');
    if (content.includes('time')) {
      const call = { tool: 'time.now', parameters: { time_zone: 'Europe/Zurich' } };
      yield { type: 'answer', answer: { toolCalls: [call] } };
      await turn.callTool(0, 0, call);
    }
    yield {
      type: 'text',
      text: content.includes('slow')
        ? 'I am reading the sheet, which takes a while'
        : content.includes('draw')
          ? DRAWN
          : ANSWER,
    };
    if (content.includes('slow')) {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
      });
    }
    yield { type: 'answer', answer: { toolCalls: [] } };
  }
}

const chat = await startScriptedChat(Scripted, { OPENCLAW_TOOLS_APPROVALS: '["time.now"]' });

const say = async (page: Page, text: string) => {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
};
const ends = (page: Page, count: number) =>
  page
    .getByRole('button', { name: 'Copy answer' })
    .nth(count - 1)
    .waitFor({ state: 'attached' });
const openList = async (page: Page) => {
  const show = page.getByRole('button', { name: 'Show conversations' });
  if (await show.isVisible()) await show.click();
};
const openNew = async (page: Page) => {
  await openList(page);
  await page.getByRole('button', { name: 'New conversation' }).click();
  await page.getByText('Hello, this is Ada').waitFor();
};

/** The scenes in order: each goes on where the one before it ended. */
const SCENES: readonly (readonly [name: string, play: (page: Page) => Promise<unknown>])[] = [
  ['empty', (page) => page.getByText('Hello, this is Ada').waitFor()],
  [
    'answered',
    async (page) => {
      for (const text of ['Plan a week in Lisbon in spring with two children and a dog', 'What changed in HTTP/3?']) {
        await say(page, text);
        await ends(page, 1);
        await openNew(page);
      }
      await say(page, 'Numbers of the quarter, all regions with refunds and baskets');
      await ends(page, 1);
      await page.locator('.hljs-keyword').first().waitFor();
    },
  ],
  ['scrolled', (page) => page.evaluate("document.querySelector('.thread').scrollTop = 0")],
  [
    'failed',
    async (page) => {
      await say(page, 'Please fail');
      await page.getByText('Details', { exact: true }).click();
    },
  ],
  [
    'approval',
    async (page) => {
      await say(page, 'What time is it?');
      await page.getByRole('button', { name: 'Deny' }).waitFor();
    },
  ],
  [
    'denied',
    async (page) => {
      await page.getByRole('button', { name: 'Deny' }).click();
      await page.locator('.outcome.held').waitFor();
      await ends(page, 2);
    },
  ],
  [
    'waiting',
    async (page) => {
      for (const text of ['A slow one', 'And then this', 'And this one with a longer text, to see it wrap'])
        await say(page, text);
      await page.getByText('2nd in line').waitFor();
    },
  ],
  [
    'offline',
    async (page) => {
      await page.context().setOffline(true);
      await say(page, 'Written without a network');
      await page.getByText('What you write is kept').waitFor();
    },
  ],
  [
    'menu',
    async (page) => {
      await page.context().setOffline(false);
      await page.getByText('4th in line').or(page.getByText('3rd in line')).first().waitFor();
      await page.locator('.head page-menu > button').click();
      await page.getByRole('menuitem', { name: 'Stop all' }).waitFor();
    },
  ],
  [
    'list',
    async (page) => {
      await page.getByRole('menuitem', { name: 'Pin' }).click();
      await openList(page);
    },
  ],
  [
    'search',
    async (page) => {
      await page.getByRole('searchbox').fill('numbers');
      await page.getByText('found').waitFor();
    },
  ],
  [
    'keys',
    async (page) => {
      await page.getByRole('searchbox').fill('');
      await page.keyboard.press('Escape');
      await page.locator('.head page-menu > button').click();
      await page.getByRole('menuitem', { name: 'Keys' }).click();
    },
  ],
  [
    'drawn',
    async (page) => {
      await page.keyboard.press('Escape');
      await openNew(page);
      await say(page, 'Please draw it');
      await page.getByRole('img', { name: 'Diagram' }).nth(1).waitFor();
    },
  ],
  [
    'sign-out',
    async (page) => {
      await page.context().setOffline(true);
      await say(page, 'Written without a network');
      await page.locator('.head page-menu > button').click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await page.getByRole('dialog').waitFor();
    },
  ],
  [
    'leaving',
    async (page) => {
      await page.getByRole('button', { name: 'Send first' }).click();
      await page.getByText('You are signed out once').waitFor();
    },
  ],
  [
    'absent',
    async (page) => {
      await page.getByRole('button', { name: 'Stay signed in' }).click();
      await page.context().setOffline(false);
      await page.evaluate("location.hash = 'conversation=s_none'");
      await page.getByText('This conversation is not here').waitFor();
    },
  ],
];

/** Plays all scenes in one look. */
async function play(
  look: string,
  options: BrowserContextOptions,
  prepare?: (page: Page) => Promise<unknown>,
): Promise<void> {
  const page = await chat.open({ reducedMotion: 'reduce', ...options }, prepare);
  page.setDefaultTimeout(10_000);
  for (const [number, [name, act]] of SCENES.entries()) {
    await act(page);
    await page.mouse.move(0, 0);
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(folder, `${look}-${String(number + 1).padStart(2, '0')}-${name}.png`) });
  }
  await page.keyboard.press('Escape');
  if (look === 'light') await page.pdf({ path: join(folder, 'print.pdf'), format: 'A4' });
  await page.context().close();
}

const LOOKS: Readonly<Record<string, [BrowserContextOptions, ((page: Page) => Promise<unknown>)?]>> = {
  light: [{ colorScheme: 'light' }],
  dark: [{ colorScheme: 'dark' }],
  phone: [{ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }],
  forced: [{ forcedColors: 'active' }],
  rtl: [
    {},
    (page) =>
      page.addInitScript("document.addEventListener('DOMContentLoaded', () => (document.documentElement.dir = 'rtl'))"),
  ],
  zoom: [{ viewport: { width: 590, height: 400 }, deviceScaleFactor: 2 }],
};
const chosen = process.argv.slice(3);
for (const [look, [options, prepare]] of Object.entries(LOOKS))
  if (chosen.length === 0 || chosen.includes(look)) await play(look, options, prepare);
await chat.close();
