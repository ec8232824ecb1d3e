import { readFileSync } from 'node:fs';
import { Global, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AgentRuntime } from '../../src/core/turns/agent-runtime.js';
import { eventually } from '../support/eventually.js';
import { useChat, type ChatPage } from '../support/chat-page.js';
import { addressOf, findFaults } from '../support/page-checks.js';
import { ScriptedRuntime } from '../support/scripted-runtime.js';

const suite = useChat();
const titles = (chat: ChatPage) => chat.page.locator('.groups .title');
const searchOf = (chat: ChatPage) => chat.page.getByRole('searchbox', { name: 'Search conversations' });

/** Opens a page with two conversations, of which the second is shown. */
async function openTwo(): Promise<ChatPage> {
  const chat = await suite.open();
  expect(await titles(chat).count()).toBe(0);
  await chat.ask('A week in *Lisbon*');
  await chat.page.getByRole('button', { name: 'New conversation' }).click();
  await chat.waitForWelcome();
  await chat.ask('Numbers of the quarter');
  return chat;
}

describe.concurrent('the list of conversations', () => {
  it('[W-42] has no row without a message, and the newest conversation first, under its day', async () => {
    const chat = await openTwo();
    expect(await titles(chat).allInnerTexts()).toEqual(['Numbers of the quarter', 'A week in *Lisbon*']);
    expect(await chat.page.locator('.group').allInnerTexts()).toEqual(['Today']);
    expect(await chat.page.title()).toBe('Numbers of the quarter · openclaw');
  });

  it('[W-42] finds titles at once and then messages, marks the words, and shows the message', async () => {
    const chat = await openTwo();
    await chat.page.keyboard.press('Tab');
    await chat.page.locator('.bar h1').click();
    await chat.page.keyboard.press('/');
    await searchOf(chat).fill('lisbon');
    expect(await titles(chat).allInnerTexts()).toEqual(['A week in *Lisbon*']);
    await chat.page.getByText('2 found').waitFor();
    expect(await chat.page.locator('.hit mark').allInnerTexts()).toEqual(['Lisbon', 'Lisbon']);
    await chat.page.locator('.hit').first().click();
    await eventually(async () => expect(await chat.said.allInnerTexts()).toEqual(['A week in *Lisbon*']));
    await searchOf(chat).fill('no such words');
    await chat.page.getByText('No message has these words.').waitFor();
    await searchOf(chat).press('Escape');
    expect(await titles(chat).count()).toBe(2);
  });

  it('[W-42] does not say that there is nothing when the gateway does not answer', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      socket.onMessage((message) => {
        if (!/"type":"history"/.test(String(message))) return gateway.send(message);
        const { id } = JSON.parse(String(message)) as { id: string };
        const payload = { code: 'INTERNAL', message: 'Internal error', retryable: false };
        socket.send(JSON.stringify({ type: 'error', id: 'e', timestamp: 1, correlation_id: id, payload }));
      });
    });
    const chat = await suite.openIn(context);
    await chat.ask('A week in Lisbon');
    await searchOf(chat).fill('nothing');
    await chat.page.getByText('The gateway did not answer, so there may be more.').waitFor();
    expect(await chat.page.getByText('No message').count()).toBe(0);
  });

  it('[W-42] renames, pins, removes and puts back, and another tab follows', async () => {
    const chat = await openTwo();
    const other = await suite.openIn(chat.context);
    await titles(other).nth(1).waitFor();
    await chat.input.press('F2');
    await chat.page.keyboard.type('The quarter');
    await chat.page.keyboard.press('Enter');
    await chat.page.getByRole('button', { name: 'More for “A week in *Lisbon*”' }).click();
    await chat.page.getByRole('menuitem', { name: 'Pin' }).click();
    const expected = ['A week in *Lisbon*', 'The quarter'];
    for (const page of [chat, other])
      await eventually(async () => expect(await titles(page).allInnerTexts()).toEqual(expected));
    expect(await other.page.locator('.group').allInnerTexts()).toEqual(['Pinned', 'Today']);
    await chat.command('Remove from the list');
    await eventually(async () => expect(await titles(chat).allInnerTexts()).toEqual(['A week in *Lisbon*']));
    await chat.page.getByRole('button', { name: 'Undo' }).click();
    for (const page of [chat, other])
      await eventually(async () => expect(await titles(page).allInnerTexts()).toEqual(expected));
    await chat.page.reload();
    await eventually(async () => expect(await titles(chat).allInnerTexts()).toEqual(expected));
  });

  it('[W-42] saves a conversation as Markdown, all of it', async () => {
    const chat = await openTwo();
    const [download] = await Promise.all([chat.page.waitForEvent('download'), chat.command('Save as Markdown')]);
    expect(download.suggestedFilename()).toBe('Numbers-of-the-quarter.md');
    const text = readFileSync(await download.path(), 'utf8');
    expect(text).toMatch(/^# Numbers of the quarter\n\n## You, .+\n\nNumbers of the quarter\n\n## openclaw\n\n/);
  });

  it('[W-42] is folded away, also after a reload, and comes back', async () => {
    const chat = await openTwo();
    await chat.page.getByRole('button', { name: 'Hide conversations' }).click();
    await chat.page.reload();
    await chat.waitForEnds();
    expect(await chat.page.getByRole('navigation', { name: 'Conversations' }).isVisible()).toBe(false);
    await chat.page.getByRole('button', { name: 'Show conversations' }).click();
    await titles(chat).first().waitFor();
  });
});

describe('answers in a conversation that a tab has not shown', () => {
  it('[W-70] are counted while the page is open and after it was closed, until one tab shows them', async () => {
    const chat = await openTwo();
    const known = String(
      await chat.page.evaluate("localStorage.getItem('openclaw.webchat.default/local.conversations')"),
    );
    const { sender, sessionId } = (JSON.parse(known) as { sender: string; sessionId: string; title: string }[]).find(
      ({ title }) => title.startsWith('A week'),
    )!;
    const other = await suite.openIn(chat.context);
    await other.waitForEnds();
    const client = await suite.gateway.connect('colleague');
    const answer = async () => {
      client.send('message_in', { channel: 'webchat', sender, content: '/blocks 1' }, { session_id: sessionId });
      await client.next('stream_end');
    };
    await answer();
    const row = (page: ChatPage, count: string) =>
      page.page.getByRole('link', { name: `A week in *Lisbon* ${count}` }).waitFor();
    await Promise.all([row(chat, '1 new answer'), row(other, '1 new answer')]);
    await other.page.goto('about:blank');
    await answer();
    await other.page.goto(`${suite.gateway.url}/chat`);
    await Promise.all([row(chat, '2 new answers'), row(other, '2 new answers')]);
    expect(await other.page.title()).toBe('(2) Numbers of the quarter · openclaw');
    await chat.page.getByRole('link', { name: 'A week in *Lisbon* 2 new answers' }).click();
    await eventually(async () => expect(await other.page.title()).toBe('Numbers of the quarter · openclaw'));
  });
});

describe.concurrent('the address of the page', () => {
  const saidIs = (chat: ChatPage, ...texts: string[]) =>
    eventually(async () => expect(await chat.said.allInnerTexts()).toEqual(texts));
  const topOf = (chat: ChatPage) => chat.page.getByRole('log').evaluate((thread) => thread.scrollTop);

  it('[W-76] names the conversation: Back and Forward move between them, and a reload stays, with draft and place', async () => {
    const chat = await openTwo();
    await chat.ask('/blocks 60', 2);
    await chat.page.getByRole('log').evaluate((thread) => (thread.scrollTop -= 900));
    await chat.input.fill('a draft');
    await chat.page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
    const [address, top] = [await addressOf(chat.page), await topOf(chat)];
    expect(address).toMatch(/#conversation=s_[\w-]{32}$/);
    await chat.page.getByRole('link', { name: 'A week in *Lisbon*' }).click();
    await saidIs(chat, 'A week in *Lisbon*');
    expect([await chat.input.inputValue(), await chat.page.title()]).toEqual(['', 'A week in *Lisbon* · openclaw']);
    const isBack = async () => {
      await saidIs(chat, 'Numbers of the quarter', '/blocks 60');
      await eventually(async () => expect(Math.abs((await topOf(chat)) - top)).toBeLessThan(20));
      expect([await addressOf(chat.page), await chat.input.inputValue()]).toEqual([address, 'a draft']);
    };
    await chat.page.goBack();
    await isBack();
    await chat.page.reload();
    await isBack();
    await chat.page.goForward();
    await saidIs(chat, 'A week in *Lisbon*');
    const other = await suite.openIn(chat.context, new URL(address).pathname + new URL(address).hash);
    await saidIs(other, 'Numbers of the quarter', '/blocks 60');
    expect(await other.page.title()).toBe('Numbers of the quarter · openclaw');
  });

  it('[W-76] names what lies over the conversation, and Back leaves only that', async () => {
    const chat = await suite.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await chat.input.fill('/blocks 1');
    await chat.page.getByRole('button', { name: 'Send', exact: true }).tap();
    await chat.waitForEnds();
    const address = await addressOf(chat.page);
    const list = chat.page.getByRole('navigation', { name: 'Conversations' });
    await chat.page.getByRole('button', { name: 'Show conversations' }).tap();
    await list.waitFor();
    expect(await addressOf(chat.page)).toBe(`${address}&panel=list`);
    await chat.page.goBack();
    await list.waitFor({ state: 'hidden' });
    await chat.command('Keys');
    await chat.page.getByRole('dialog').waitFor();
    await chat.page.reload();
    await chat.page.getByRole('dialog').waitFor();
    await chat.page.keyboard.press('Escape');
    await eventually(() => expect(chat.page.url()).toBe(address));
    await chat.page.goForward();
    await chat.page.getByRole('dialog').waitFor();
    await chat.page.goBack();
    await chat.page.getByRole('dialog').waitFor({ state: 'hidden' });
    await saidIs(chat, '/blocks 1');
  });

  it('[W-76] of a conversation that is not here says so, and leads on', async () => {
    const chat = await suite.open({}, suite.gateway.url, '/chat#conversation=s_none');
    await chat.page.getByRole('heading', { name: 'This conversation is not here' }).waitFor();
    expect([await chat.page.title(), await chat.input.isVisible()]).toEqual(['Not here · openclaw', false]);
    expect(await findFaults(chat)).toEqual([]);
    const edges = "[...document.querySelectorAll('.empty a')].map((way) => getComputedStyle(way).borderTopStyle)";
    expect(await chat.page.evaluate(edges)).toEqual(['solid']);
    await chat.page.getByRole('link', { name: 'A new conversation' }).click();
    await chat.ask('/blocks 1');
    await chat.page.evaluate(`location.hash = "${new URL(await addressOf(chat.page)).hash}&message=m_none"`);
    await chat.page.getByText('The message of this address is not in this conversation').waitFor();
    await chat.page.goBack();
    await chat.page.evaluate(`location.hash += '&token=secret'`);
    await eventually(() => expect(chat.page.url()).toMatch(/#conversation=[\w-]+$/));
    await chat.page.goBack();
    await chat.page.goBack();
    await chat.page.getByText('This conversation is not here').waitFor();
    await chat.page.getByRole('link', { name: 'The newest conversation /blocks 1' }).click();
    await saidIs(chat, '/blocks 1');
  });
});

describe.concurrent('keys', () => {
  it('[W-43] without a modifier act outside of fields only, and are listed', async () => {
    const chat = await openTwo();
    await chat.input.fill('');
    await chat.input.press('/');
    await chat.input.press('n');
    await chat.input.press('?');
    expect(await chat.input.inputValue()).toBe('/n?');
    await chat.page.getByRole('log').focus();
    for (const key of ['Control+/', 'Alt+n', 'Meta+n']) await chat.page.keyboard.press(key);
    expect([await chat.said.count(), await chat.page.getByRole('dialog').count()]).toEqual([1, 0]);
    await chat.page.keyboard.press('?');
    await chat.page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await chat.page.keyboard.press('n');
    expect(await chat.said.count()).toBe(1);
    await chat.page.keyboard.press('Escape');
    expect(await chat.page.getByRole('log').evaluate((log) => log.matches(':focus'))).toBe(true);
    await chat.page.keyboard.press('n');
    await chat.waitForWelcome();
  });

  it('[W-43] can be switched off, also for the time after a reload', async () => {
    const chat = await openTwo();
    await chat.command('Keys');
    await chat.page.getByRole('checkbox').uncheck();
    await chat.page.keyboard.press('Escape');
    // A panel is a place in the history: going back from it is not immediate.
    await chat.page.waitForURL((url) => !url.hash.includes('panel='));
    await chat.page.reload();
    await chat.waitForEnds();
    await chat.page.getByRole('log').focus();
    for (const key of ['/', 'n', '?']) await chat.page.keyboard.press(key);
    expect([await chat.said.count(), await chat.page.getByRole('dialog').count()]).toEqual([1, 0]);
    expect(await searchOf(chat).evaluate((field) => field.matches(':focus'))).toBe(false);
  });
});

describe.concurrent('stopping', () => {
  it('[W-44] has the place of Send while the composer is empty, and keeps the draft', async () => {
    const chat = await suite.open();
    const [stop, send] = ['Stop the answer', 'Send'].map((name) =>
      chat.page.getByRole('button', { name, exact: true }),
    );
    await chat.say('/wait 60000');
    await stop!.waitFor();
    expect(await send!.count()).toBe(0);
    await chat.input.fill('a draft');
    await send!.waitFor();
    expect(await stop!.count()).toBe(0);
    await chat.input.press('Escape');
    await chat.replies.getByText('Stopped').waitFor();
    expect(await chat.input.inputValue()).toBe('a draft');
  });

  it('[W-44] stops all that waits at once', async () => {
    const chat = await suite.open();
    await chat.waitForConnection();
    for (const text of ['/wait 60000', '/blocks 1', '/blocks 2']) await chat.say(text);
    await chat.page.getByText('2nd in line').waitFor();
    await chat.command('Stop all');
    await eventually(async () => expect(await chat.replies.getByText('Stopped').count()).toBe(3));
    expect(await chat.blocks.count()).toBe(0);
  });

  it('[W-44] comes last: Escape closes a menu, a dialog and a search first, and acts from composer and thread alone', async () => {
    const chat = await suite.open();
    await chat.say('/wait 60000');
    await chat.page.getByRole('button', { name: 'Stop the answer' }).waitFor();
    await chat.page.locator('.head page-menu > button').click();
    await chat.page.getByRole('menu').waitFor();
    await chat.page.keyboard.press('Escape');
    expect(await chat.page.getByRole('menu').count()).toBe(0);
    await chat.page.keyboard.press('Escape');
    await chat.command('Keys');
    await chat.page.getByRole('dialog').waitFor();
    await chat.page.keyboard.press('Escape');
    // A panel is a place in the history: going back from it is not immediate.
    await chat.page.waitForURL((url) => !url.hash.includes('panel='));
    await searchOf(chat).fill('x');
    await chat.page.keyboard.press('Escape');
    expect(await searchOf(chat).inputValue()).toBe('');
    await chat.page.keyboard.press('Escape');
    expect(await chat.replies.getByText('Stopped').count()).toBe(0);
    await chat.page.getByRole('log').focus();
    await chat.page.keyboard.press('Escape');
    await chat.replies.getByText('Stopped').waitFor();
  });
});

describe('an answer that comes while it is not seen', () => {
  const agent = new ScriptedRuntime();

  @Global()
  @Module({ providers: [{ provide: AgentRuntime, useValue: agent }], exports: [AgentRuntime] })
  class ScriptedAgentModule {}
  const scripted = useChat({ agent: ScriptedAgentModule });

  it('[W-42] is counted in the list and in the title of the tab, until its conversation is opened', async () => {
    const chat = await scripted.open();
    await chat.say('Tell me');
    await chat.page.getByRole('img', { name: 'openclaw is answering' }).waitFor();
    await chat.page.getByRole('button', { name: 'New conversation' }).click();
    await chat.waitForWelcome();
    agent.say('Yes.');
    agent.say('END');
    await eventually(async () => expect(await chat.page.title()).toBe('(1) openclaw · chat'));
    await chat.page.getByRole('link', { name: 'Tell me 1 new answer' }).click();
    await eventually(async () => expect(await chat.page.title()).toBe('Tell me · openclaw'));
  });
});

describe('a conversation that cannot be read, or not whole', () => {
  it('[W-74] says so, is neither saved nor printed as if it were whole, and is read when asked again', async () => {
    const client = await suite.gateway.connect('filler-of-gaps');
    let sessionId: string | undefined;
    for (let i = 0; i < 40; i++) {
      client.send('message_in', { channel: 'webchat', sender: 'web-gaps', content: `/wait ${i}` });
      sessionId = (await client.next('stream_end')).session_id;
    }
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    const known = JSON.stringify([{ sender: 'web-gaps', sessionId }]);
    await context.addInitScript(
      (list) => localStorage.setItem('openclaw.webchat.default/local.conversations', list),
      known,
    );
    let broken: 'all' | 'older' | 'nothing' = 'all';
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      socket.onMessage((message) => {
        const { id, type, payload } = JSON.parse(String(message)) as { id: string; type: string; payload: object };
        const isAsked = type === 'history' && (broken === 'all' || (broken === 'older' && 'before' in payload));
        if (!isAsked) return gateway.send(message);
        const error = { code: 'INTERNAL', message: 'Internal error', retryable: false };
        socket.send(JSON.stringify({ type: 'error', id: 'e', timestamp: 1, correlation_id: id, payload: error }));
      });
    });
    const chat = await suite.openIn(context);
    await chat.page.getByText('This conversation could not be read.').waitFor();
    expect(await chat.page.getByText('Hello, this is').count()).toBe(0);
    broken = 'older';
    await chat.page.getByRole('log').getByRole('button', { name: 'Try again' }).click();
    await chat.said.getByText('/wait 39', { exact: true }).waitFor();
    await chat.command('Save as Markdown');
    await chat.page.getByText('Not all of the conversation could be read').waitFor();
    const [download] = await Promise.all([
      chat.page.waitForEvent('download'),
      chat.page.getByRole('button', { name: 'Take what is here' }).click(),
    ]);
    expect(readFileSync(await download.path(), 'utf8')).not.toContain('/wait 1\n');
    await chat.page.getByRole('log').evaluate((thread) => (thread.scrollTop = 0));
    await chat.page.getByText('Earlier messages could not be read.').waitFor();
    broken = 'nothing';
    await chat.page.getByRole('button', { name: 'Try again' }).click();
    await eventually(async () => expect(await chat.said.count()).toBe(40));
    expect(await chat.page.getByText('Earlier messages could not be read.').count()).toBe(0);
  });
});
