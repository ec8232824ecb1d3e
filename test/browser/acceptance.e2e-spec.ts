import { Global, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AgentRuntime } from '../../src/core/turns/agent-runtime.js';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { eventually } from '../support/eventually.js';
import { findBarriersInColours, SIDEWAYS } from '../support/page-checks.js';
import { readPdfText } from '../support/pdf-text.js';
import { ScriptedRuntime } from '../support/scripted-runtime.js';

const suite = useChat();
const agent = new ScriptedRuntime();

@Global()
@Module({ providers: [{ provide: AgentRuntime, useValue: agent }], exports: [AgentRuntime] })
class ScriptedAgentModule {}

const scripted = useChat({ agent: ScriptedAgentModule });

/** A message with all content that could be too wide, or could leave its place. */
const HOSTILE = `${'long'.repeat(2_500)} \u202Egnp.exe <img src=x onerror=alert(1)>\n\n| a | b |\n|---|---|\n| ${'wide '.repeat(60)} | 2 |\n\n\`\`\`\n${'code '.repeat(80)}\n\`\`\``;

const SIZES = [
  { width: 1440, height: 900 },
  { width: 1180, height: 800 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
];

/** How far the composer begins or ends beside the thread. */
const EDGES = `(([thread, writing]) => Math.max(Math.abs(thread.left - writing.left), Math.abs(thread.right - writing.right)))(
  ['.reply', '.writing'].map((selector) => document.querySelector(selector).getBoundingClientRect()))`;

/** Shows a conversation with a long history, then menu, dialog and list. */
async function showMuch(chat: ChatPage): Promise<void> {
  await chat.ask(HOSTILE);
  await chat.ask('/tool time.now {}', 2);
  await chat.say('/fail');
  await chat.page.getByText('The agent could not answer').waitFor();
}

describe('the page at every size', () => {
  it.each(['light', 'dark'] as const)('[W-45] never scrolls sideways, in %s', async (colorScheme) => {
    const chat = await suite.open({ colorScheme });
    await showMuch(chat);
    for (const size of SIZES) {
      await chat.page.setViewportSize(size);
      expect([size, await chat.page.evaluate(SIDEWAYS)]).toEqual([size, []]);
      expect([size, await chat.page.evaluate(EDGES)]).toEqual([size, 0]);
      await chat.page.locator('.head page-menu > button').click();
      expect([size, await chat.page.evaluate(SIDEWAYS)]).toEqual([size, []]);
      await chat.page.getByRole('menuitem', { name: 'Keys' }).click();
      expect([size, await chat.page.evaluate(SIDEWAYS)]).toEqual([size, []]);
      await chat.page.keyboard.press('Escape');
    }
  });

  it.each([
    { name: '200 %', viewport: { width: 590, height: 400 }, deviceScaleFactor: 2 },
    { name: '400 %', viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 },
  ])('[W-45] can be used at $name zoom', async ({ viewport, deviceScaleFactor }) => {
    const chat = await suite.open({ viewport, deviceScaleFactor });
    await showMuch(chat);
    expect(await chat.page.evaluate(SIDEWAYS)).toEqual([]);
    await chat.input.scrollIntoViewIfNeeded();
    await chat.input.fill('/blocks 1');
    await chat.input.press('Enter');
    await chat.waitForEnds(3);
    await chat.command('Keys');
    const dialog = chat.page.getByRole('dialog');
    await dialog.getByRole('checkbox').scrollIntoViewIfNeeded();
    const box = await dialog.boundingBox();
    expect(box!.height).toBeLessThanOrEqual(viewport.height);
  });

  it('[W-45] survives the text spacing of WCAG 1.4.12: no text leaves its button, its bubble or its row', async () => {
    const chat = await suite.open();
    await showMuch(chat);
    await chat.waitForConnection();
    await chat.say('/wait 60000');
    await chat.say('and one that waits');
    await chat.page.getByText('next in line').waitFor();
    await chat.page.evaluate(`{
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }');
      document.adoptedStyleSheets = [sheet];
    }`);
    const clipped = await chat.page
      .evaluate(`[...document.querySelectorAll('button, .bubble, .aside, .outcome, .state, .trouble')]
      .filter((element) => element.offsetParent && !element.closest('.skip, .visually-hidden') && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 4))
      .map((element) => element.className + ' ' + element.textContent.trim().slice(0, 40))`);
    expect(clipped).toEqual([]);
  });
});

describe('what is pressed', () => {
  const SMALL = (
    least: number,
  ) => `[...document.querySelectorAll('button, a[href], input:not([type=file]), summary, textarea')]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('.skip, .prose, label'))
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, { width, height }]) => Math.min(width, height) < ${least} - 0.5)
    .map(([element, { width, height }]) => [element.outerHTML.slice(0, 90), width, height].join(' '))`;

  it('[W-46] is at least 24 pixels wide and high', async () => {
    const chat = await suite.open();
    await showMuch(chat);
    expect(await chat.page.evaluate(SMALL(24))).toEqual([]);
  });

  it('[W-46] is at least 44 pixels wide and high on a touch screen', async () => {
    const chat = await suite.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await chat.input.fill('/tool time.now {}');
    await chat.page.getByRole('button', { name: 'Send', exact: true }).tap();
    await chat.waitForEnds();
    expect(await chat.page.evaluate(SMALL(44))).toEqual([]);
    await chat.page.getByRole('button', { name: 'Show conversations' }).tap();
    expect(await chat.page.evaluate(SMALL(44))).toEqual([]);
    await chat.page.getByRole('button', { name: 'More for “/tool time.now {}”' }).tap();
    expect(await chat.page.evaluate(SMALL(44))).toEqual([]);
  });
});

/** An expression that is true when the focused element, or the field around it, has an outline. */
const IS_OUTLINED = `[document.activeElement, document.activeElement.closest('.writing')].some((each) => {
  const { outlineStyle, outlineWidth } = each ? getComputedStyle(each) : {};
  return outlineStyle && outlineStyle !== 'none' && outlineWidth !== '0px';
})`;

describe('the keyboard', () => {
  it('[W-46] reaches the composer with one Tab from the start, shows where it is, and gets its place back', async () => {
    const chat = await suite.open();
    await showMuch(chat);
    const { keyboard } = chat.page;
    const first = await chat.page.evaluate(
      `document.querySelector('a[href], button, input, textarea, [tabindex="0"]').textContent.trim()`,
    );
    expect(first).toBe('Skip to writing');
    const skip = chat.page.getByRole('button', { name: 'Skip to writing' });
    await skip.focus();
    await keyboard.press('Enter');
    expect(await chat.input.evaluate((area) => area.matches(':focus'))).toBe(true);
    await skip.focus();
    const focused = chat.page.locator(':focus');
    const unseen: string[] = [];
    for (let i = 0; i < 25; i++) {
      const isSeen = await chat.page.evaluate(IS_OUTLINED);
      if (!isSeen) unseen.push(String(await chat.page.evaluate('document.activeElement.outerHTML.slice(0, 90)')));
      await keyboard.press('Tab');
      if ((await focused.count()) === 0) break;
    }
    expect(unseen).toEqual([]);
    const more = chat.page.locator('.head page-menu > button');
    await more.focus();
    await keyboard.press('Enter');
    await keyboard.press('End');
    await keyboard.press('Enter');
    await chat.page.getByRole('dialog').waitFor();
    await keyboard.press('Escape');
    expect(await more.evaluate((button) => button.matches(':focus'))).toBe(true);
  });
});

describe('people who need it otherwise', () => {
  it('[W-22] find no barrier in menus, dialogs and the search, in each set of colours', async () => {
    const chat = await suite.open();
    await chat.ask('A week in Lisbon');
    await chat.page.locator('.head page-menu > button').click();
    expect(await findBarriersInColours(chat)).toEqual([]);
    await chat.page.getByRole('menuitem', { name: 'Keys' }).click();
    expect(await findBarriersInColours(chat)).toEqual([]);
    await chat.page.keyboard.press('Escape');
    await chat.page.getByRole('searchbox').fill('lisbon');
    await chat.page.getByText('2 found').waitFor();
    await chat.command('Remove from the list');
    await chat.page.getByRole('button', { name: 'Undo' }).waitFor();
    expect(await findBarriersInColours(chat)).toEqual([]);
  });

  it('[W-47] see nothing move that they asked to be still, while an answer runs', async () => {
    const chat = await scripted.open({ reducedMotion: 'reduce' });
    await chat.say('Tell me');
    await chat.page.getByRole('img', { name: 'openclaw is answering' }).waitFor();
    expect(await chat.page.evaluate('document.getAnimations().length')).toBe(0);
    agent.say('END');
    await eventually(async () => expect(await chat.page.locator('.answering').count()).toBe(0));
  });

  it('[W-47] hear a block once, when it is complete, however many pieces it has', async () => {
    const chat = await scripted.open();
    await chat.waitForWelcome();
    await chat.page.evaluate(`{
      globalThis.spoken = [];
      const region = document.querySelector('p[aria-live=polite]');
      new MutationObserver(() => spoken.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
    }`);
    await chat.say('Tell me');
    for (const word of 'one two three four five six'.split(' ')) agent.say(`${word} `);
    agent.say('\n\nAnd a second block.');
    agent.say('END');
    await chat.waitForEnds();
    await eventually(async () => expect(String(await chat.page.evaluate('spoken.at(-1)'))).toContain('And a second'));
    expect(Number(await chat.page.evaluate('spoken.length'))).toBeLessThanOrEqual(2);
  });

  it('[W-47] print the whole conversation, and nothing that is pressed', async () => {
    const chat = await suite.open();
    const questions = Array.from({ length: 30 }, (_, i) => `Question number ${i + 1}.`);
    for (const [i, question] of questions.entries()) await chat.ask(question, i + 1);
    await chat.page.emulateMedia({ media: 'print' });
    const seen = await chat.page
      .evaluate(`[...document.querySelectorAll('.bubble')].every((bubble) => bubble.checkVisibility())
      && document.documentElement.scrollHeight >= document.querySelector('.column').scrollHeight`);
    expect(seen).toBe(true);
    expect(
      await chat.page.locator('.sidebar, .foot, .actions, .head page-menu').filter({ visible: true }).count(),
    ).toBe(0);
    const starts = ['.bar h1', '.reply .prose'].map((selector) => chat.page.locator(selector).first().boundingBox());
    expect((await Promise.all(starts)).map((box) => box!.x)).toEqual([0, 0]);
    const pdf = await chat.page.pdf({ format: 'A6' });
    expect(pdf.toString('latin1').match(/\/Type \/Page\b/g)!.length).toBeGreaterThan(3);
    const text = readPdfText(pdf);
    for (const question of questions) expect(text.split(question.replaceAll(' ', '')).length - 1).toBeGreaterThan(1);
    expect(text).not.toContain('Searchconversations');
  });

  it('[W-47] write from right to left: the page is mirrored, and code is not', async () => {
    const chat = await suite.open();
    await chat.page.evaluate("document.documentElement.dir = 'rtl'");
    await chat.ask('```\nconst a = 1;\n```');
    const [list, main] = await Promise.all(
      ['.sidebar', 'main'].map((selector) => chat.page.locator(selector).boundingBox()),
    );
    expect(list!.x).toBeGreaterThan(main!.x);
    const [bubble, reply] = await Promise.all(
      ['.bubble', '.reply'].map((selector) => chat.page.locator(selector).first().boundingBox()),
    );
    expect(bubble!.x).toBeLessThan(reply!.x + 1);
    expect(await chat.page.evaluate("getComputedStyle(document.querySelector('.reply pre')).direction")).toBe('ltr');
    expect(await chat.page.evaluate(SIDEWAYS)).toEqual([]);
  });
});
