import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';

const suite = useChat();
const WIDE = [
  '| Place | A rather long heading of a column | Another long heading | And a third one of them | Sum |',
  '|---|---|:-:|---|--:|',
  '| Bern, the "capital" | a,b | c \\| d | e | 1 |',
  '| Genf | f | g | h | 20 |',
].join('\n');

/** Notes the durations of long tasks, in milliseconds. */
/** Notes how many parts each change of the thread adds. */
const WATCH_PARTS = `{
  globalThis.added = [];
  const count = (records) => records.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node.className === 'part').length;
  new MutationObserver((records) => added.push(count(records)))
    .observe(document.querySelector('.thread'), { childList: true, subtree: true });
}`;

const openWithClipboard = async (options = {}) => {
  const chat = await suite.open({ permissions: ['clipboard-read', 'clipboard-write'], ...options });
  const read = (type: string): Promise<string> =>
    chat.page.evaluate(
      `navigator.clipboard.read().then(([item]) => item.getType('${type}')).then((blob) => blob.text())`,
    );
  return { chat, read };
};

describe('an answer', () => {
  it('[W-61] copies as Markdown and HTML; its tables as Markdown and CSV, its code as it is', async () => {
    const { chat, read } = await openWithClipboard();
    const answer = `# Places\n\n${WIDE}\n\n\`\`\`ts\nconst a = "<b>";\n\`\`\``;
    await chat.ask(answer);
    const reply = chat.replies.first();
    await reply.getByRole('button', { name: 'Copy answer' }).click();
    await reply.getByText('Copied').waitFor();
    expect(await read('text/plain')).toContain(answer);
    const html = await read('text/html');
    expect(html).toContain('<h1');
    expect(html).toContain('<td');
    expect(html).toContain('&lt;b&gt;');
    expect(html).not.toContain('chat-');
    const table = reply.locator('figure.table');
    await table.getByRole('button', { name: 'Copy' }).click();
    await table.getByText('Copied').waitFor();
    expect((await read('text/plain')).split('\n').slice(0, 3)).toEqual([
      '| Place | A rather long heading of a column | Another long heading | And a third one of them | Sum |',
      '| --- | --- | :-: | --- | --: |',
      '| Bern, the "capital" | a,b | c \\| d | e | 1 |',
    ]);
    await table.getByRole('button', { name: 'CSV' }).click();
    await table.getByText('Copied').nth(0).waitFor();
    expect((await read('text/plain')).replaceAll('\r', '').split('\n')[1]).toBe(
      '"Bern, the ""capital""","a,b",c | d,e,1',
    );
    await reply.locator('figure.code').getByRole('button', { name: 'Copy' }).click();
    await reply.locator('figure.code').getByText('Copied').waitFor();
    expect(await read('text/plain')).toBe('const a = "<b>";');
  });

  it('[W-74] says, also to screen readers, that it was copied, and that the browser did not allow it', async () => {
    const { chat } = await openWithClipboard();
    await chat.ask('```\nconst a = 1;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |');
    const spoken = chat.page.locator('body > [role=status]');
    await chat.replies.first().getByRole('button', { name: 'Copy answer' }).click();
    await spoken.getByText('Copied', { exact: true }).waitFor({ state: 'attached' });
    await chat.page.evaluate(`{
      const refuse = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
      Object.assign(navigator.clipboard, { write: refuse, writeText: refuse });
      document.execCommand = () => false;
    }`);
    for (const place of ['figure.code', 'figure.table']) {
      await chat.page.locator(`${place} chat-copy button`).first().click();
      await chat.page.locator(place).getByText('Not copied: select it yourself').waitFor();
    }
    await spoken.getByText('Not copied: select it yourself').waitFor({ state: 'attached' });
    await chat.command('Copy all');
    const toast = chat.page.locator('.toast');
    await toast.getByText('Not copied: the browser does not allow it').waitFor();
    const [note, foot] = await Promise.all([toast.boundingBox(), chat.page.locator('.foot').boundingBox()]);
    expect(note!.y + note!.height).toBeLessThan(foot!.y);
  });

  it('[W-46] is a stop of the Tab key only where a part of it is out of sight', async () => {
    const { chat } = await openWithClipboard();
    await chat.ask(`\`\`\`\nshort\n\`\`\`\n\n\`\`\`\n${'long '.repeat(80)}\n\`\`\``);
    const stops = () => chat.page.locator('figure.code pre').evaluateAll((all) => all.map((pre) => pre.tabIndex));
    await eventually(async () => expect(await stops()).toEqual([-1, 0]));
    await chat.page.getByRole('button', { name: 'Wrap' }).nth(1).click();
    await eventually(async () => expect(await stops()).toEqual([-1, -1]));
  });

  it('[W-62] shows where a wide table is cut, keeps its first column, and wraps code on demand', async () => {
    const { chat } = await openWithClipboard({ viewport: { width: 390, height: 844 } });
    await chat.ask(`${WIDE}\n\n\`\`\`\n${'a long line of code '.repeat(20)}\n\`\`\`\n\n- [x] done\n- plain`);
    const figure = chat.page.locator('figure.table');
    await chat.page.locator('figure.table.cut-end:not(.cut-start)').waitFor();
    const box = chat.page.locator('.table-box');
    expect(await box.getAttribute('tabindex')).toBe('0');
    await box.evaluate((element) => (element.scrollLeft = 60));
    await chat.page.locator('figure.table.cut-end.cut-start').waitFor();
    const left = (selector: string) =>
      figure
        .locator(selector)
        .first()
        .evaluate((element) => element.getBoundingClientRect().left);
    expect(Math.abs((await left('td')) - (await left('.table-box')))).toBeLessThan(2);
    expect(await chat.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const code = chat.page.locator('figure.code pre');
    const isCut = () => code.evaluate((element) => element.scrollWidth > element.clientWidth);
    expect(await isCut()).toBe(true);
    await chat.page.getByRole('button', { name: 'Wrap' }).click();
    expect(await isCut()).toBe(false);
    const markers = await chat.page.evaluate(
      `[...document.querySelectorAll('.reply li')].map((item) => getComputedStyle(item).listStyleType)`,
    );
    expect(markers).toEqual(['none', 'disc']);
  });

  it('[W-62] has space by pairs: more above a heading than below, the same between all else', async () => {
    const { chat } = await openWithClipboard();
    await chat.ask('One.\n\nTwo.\n\n## Heading\n\n- a list\n\n> a quotation\n\nThree.');
    const gaps = await chat.replies.first().evaluate((reply) => {
      const leaves = [...reply.querySelectorAll('.prose > *')].map((element) => element.getBoundingClientRect());
      return leaves.slice(1).map(({ top }, i) => Math.round(top - leaves[i]!.bottom));
    });
    expect(gaps.slice(-5)).toEqual([12, 24, 8, 12, 12]);
    // Sections of an answer of more than fifty blocks.
    const between = await chat.page.evaluate(`(() => {
      const nest = (name, ...names) => {
        const [tag, className = ''] = name.split('.');
        const element = Object.assign(document.createElement(tag), { className });
        element.append(names.length > 0 ? nest(...names) : 'x');
        return element;
      };
      const sections = ['p', 'h2', 'p', 'p'].map((name) => nest('div.blocks', 'div.prose', name));
      document.querySelector('.reply').replaceChildren(...sections);
      const boxes = sections.map((section) => section.getBoundingClientRect());
      return boxes.slice(1).map(({ top }, i) => Math.round(top - boxes[i].bottom));
    })()`);
    expect(between).toEqual([24, 8, 12]);
  });
});

describe('a long text', () => {
  it('[W-63] of a tool is cut at 20 KB, and shown in parts on demand one a frame', async () => {
    const { chat } = await openWithClipboard();
    await chat.waitForWelcome();
    await chat.page.evaluate(WATCH_PARTS);
    await chat.page.evaluate(`{
      const parts = Object.assign(document.createElement('chat-parts'), { text: 'word and word '.repeat(75000) });
      document.querySelector('.thread > .column').append(parts);
    }`);
    const parts = chat.page.locator('.column > chat-parts');
    expect((await parts.textContent())!.length).toBeLessThan(21_000);
    await parts.getByRole('button', { name: 'Show all (1050 KB)' }).click();
    await eventually(async () => expect(await parts.locator('.part').count()).toBeGreaterThan(52));
    await eventually(async () => expect(await parts.getByRole('button').count()).toBe(0));
    expect(await chat.page.evaluate('Math.max(...added)')).toBe(1);
    await chat.page.evaluate(`{
      const code = Object.assign(document.createElement('chat-code'), { code: 'code '.repeat(5000) });
      document.querySelector('.thread > .column').append(code);
    }`);
    const code = chat.page.locator('.column > chat-code');
    await code.getByRole('button', { name: 'Show all (25 KB)' }).waitFor();
    expect(await code.locator('pre button').count()).toBe(0);
  });
});
