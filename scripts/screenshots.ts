/**
 * Takes the screenshots of the web chat in `docs/img`: `npm run build && node scripts/screenshots.ts`, or
 * with `canvas` that of the canvas alone. Uses the built
 * gateway and an agent with a scripted reply.
 */
import type { BrowserContextOptions } from 'playwright-core';
import type { AgentEvent, AgentTurn } from '../src/index.ts';
import { AgentRuntime, startScriptedChat } from './scripted-chat.ts';

const ANSWER = `Node reads lines as they come, so a file of any size fits:

\`\`\`ts
import { open } from 'node:fs/promises';

await using file = await open('access.log');
for await (const line of file.readLines()) {
  if (line.includes(' 500 ')) console.log(line);
}
\`\`\`

| | memory | order |
|---|--:|---|
| \`readLines()\` | one line | as in the file |
| \`readFile().split()\` | all of it | as in the file |

Nothing is read ahead of the loop, so a \`break\` ends the reading, too.
`;

const FORM = [
  {
    createSurface: { surfaceId: 'order', catalogId: 'https://a2ui.org/specification/v0_9/catalogs/basic/catalog.json' },
  },
  {
    updateComponents: {
      surfaceId: 'order',
      components: [
        { id: 'root', component: 'Column', children: ['title', 'intro', 'kind', 'cups', 'name', 'milk', 'send'] },
        { id: 'title', component: 'Text', text: 'Coffee for the meeting', variant: 'h2' },
        { id: 'intro', component: 'Text', text: 'Delivered at **10:30**, third floor.' },
        {
          id: 'kind',
          component: 'ChoicePicker',
          label: 'Kind',
          options: ['Espresso', 'Filter', 'Flat white'].map((label) => ({ label, value: label })),
          value: { path: '/kind' },
        },
        { id: 'cups', component: 'Slider', label: 'Cups', min: 1, max: 12, value: { path: '/cups' } },
        { id: 'name', component: 'TextField', label: 'For whom', value: { path: '/name' } },
        { id: 'milk', component: 'CheckBox', label: 'Oat milk', value: { path: '/milk' } },
        { id: 'label', component: 'Text', text: 'Order' },
        { id: 'send', component: 'Button', variant: 'primary', child: 'label', action: { event: { name: 'order' } } },
      ],
    },
  },
  {
    updateDataModel: {
      surfaceId: 'order',
      path: '/',
      value: { kind: ['Flat white'], cups: 4, name: 'Ada, Grace and two guests', milk: true },
    },
  },
];

class Scripted extends AgentRuntime {
  override readonly name = 'scripted';

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    if (turn.message.payload.content.includes('form')) {
      const call = { tool: 'canvas.show', parameters: { kind: 'a2ui', title: 'Your order', messages: FORM } };
      yield { type: 'answer', answer: { toolCalls: [call] } };
      await turn.callTool(0, 0, call);
      yield { type: 'text', text: 'Fill it in, and press *Order*: I see what you choose.' };
      return yield { type: 'answer', answer: { toolCalls: [] } };
    }
    yield { type: 'text', text: ANSWER };
    yield { type: 'answer', answer: { toolCalls: [] } };
  }
}

const chat = await startScriptedChat(Scripted, { OPENCLAW_TOOLS_DEFAULT_PERMISSIONS: '["canvas"]' });

/** Takes one screenshot of a page with several conversations. */
async function take(name: string, options: BrowserContextOptions): Promise<void> {
  const page = await chat.open(options);
  for (const question of [
    'Plan a week in Lisbon',
    'What changed in HTTP/3?',
    'How do I read a large file line by line in Node?',
  ]) {
    await page.getByText('Hello, this is Ada').waitFor();
    await page.getByRole('textbox', { name: 'Message' }).fill(question);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('button', { name: 'Copy answer' }).waitFor();
    if (question.startsWith('How')) break;
    const menu = page.getByRole('button', { name: 'Show conversations' });
    if (await menu.isVisible()) await menu.click();
    await page.getByRole('button', { name: 'New conversation' }).click();
  }
  await page.locator('.hljs-keyword').first().waitFor();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: new URL(`../docs/img/${name}.png`, import.meta.url).pathname, animations: 'disabled' });
  await page.context().close();
}

/** Takes the screenshot of a surface beside a conversation. */
async function takeCanvas(): Promise<void> {
  const page = await chat.open({ colorScheme: 'light', viewport: { width: 1_280, height: 760 } });
  await page.getByText('Hello, this is Ada').waitFor();
  await page.getByRole('textbox', { name: 'Message' }).fill('Make me a form for the coffee');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.canvas').getByText('10:30').waitFor();
  await page.getByRole('button', { name: 'Copy answer' }).waitFor();
  await page.mouse.move(0, 0);
  const path = new URL('../docs/img/canvas.png', import.meta.url).pathname;
  await page.screenshot({ path, animations: 'disabled' });
  await page.context().close();
}

await takeCanvas();
if (process.argv.includes('canvas')) {
  await chat.close();
  process.exit();
}
await take('chat-light', { colorScheme: 'light' });
await take('chat-dark', { colorScheme: 'dark' });
await take('chat-phone', {
  colorScheme: 'light',
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
});
await chat.close();
