/**
 * Takes the screenshots of the web chat in `docs/img`: `npm run build && node scripts/screenshots.ts`. Uses the built
 * gateway and an agent with a scripted reply.
 */
import type { BrowserContextOptions } from 'playwright-core';
import type { AgentEvent } from '../src/index.ts';
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

class Scripted extends AgentRuntime {
  override readonly name = 'scripted';

  override async *run(): AsyncGenerator<AgentEvent> {
    yield { type: 'text', text: ANSWER };
    yield { type: 'answer', answer: { toolCalls: [] } };
  }
}

const chat = await startScriptedChat(Scripted);

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
