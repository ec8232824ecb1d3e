import { describe, expect, it } from 'vitest';
import { Global, Module } from '@nestjs/common';
import { PresenceTrackerService } from '../../src/core/presence/presence-tracker.service.js';
import { AgentRuntime } from '../../src/core/turns/agent-runtime.js';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';
import { GatewayApp } from '../support/gateway-app.js';
import { ScriptedRuntime } from '../support/scripted-runtime.js';

const suite = useChat();
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `block ${i + 1}`);

describe.concurrent('a conversation', () => {
  it('[W-01] begins with suggestions, shows messages and answers, and is the same after a reload', async () => {
    const chat = await suite.open();
    await chat.page.getByRole('button', { name: '/help' }).click();
    await chat.waitForEnds();
    expect(await chat.blocks.allInnerTexts()).toEqual([expect.stringContaining('/blocks N [MS]')]);
    await chat.ask('Good **morning**', 2);
    expect(await chat.replies.nth(1).locator('strong').allInnerTexts()).toContain('morning');
    const before = [await chat.said.allInnerTexts(), await chat.blocks.allInnerTexts()];
    await chat.page.reload();
    await chat.waitForEnds(2);
    expect([await chat.said.allInnerTexts(), await chat.blocks.allInnerTexts()]).toEqual(before);
  });

  it('[W-10] shows every kind of block', async () => {
    const chat = await suite.open();
    await chat.ask('/demo');
    const reply = chat.replies.first();
    await reply.getByRole('heading', { name: 'Markdown' }).waitFor();
    await reply.getByRole('img', { name: 'A red dot' }).waitFor();
    expect(await reply.getByRole('link', { name: 'link' }).getAttribute('rel')).toContain('noopener');
    expect(await reply.locator('chat-code .hljs-number').innerText()).toBe('42');
    expect(await reply.locator('audio').getAttribute('src')).toMatch(/^data:audio\/wav/);
    await reply.getByText('Canvas', { exact: true }).click();
    await reply.getByText('"elements": []').waitFor();

    await chat.ask('/tool time.now {}', 2);
    const tool = chat.replies.nth(1).locator('details');
    expect(await tool.locator('summary').innerText()).toMatch(/time\.now\s*done/);
    await tool.locator('summary').click();
    await tool.getByText('Result').waitFor();
  });

  it('[W-06] that is reloaded in the middle of an answer is the same and continues', async () => {
    const chat = await suite.open();
    await chat.say('/blocks 6 150');
    await chat.blocks.getByText('block 2').waitFor();
    await chat.page.reload();
    await chat.waitForEnds();
    expect(await chat.blocks.allInnerTexts()).toEqual(numbered(6));
    expect(await chat.said.allInnerTexts()).toEqual(['/blocks 6 150']);
  });

  it('[W-09] runs in two tabs at once, and each shows the messages of the other', async () => {
    const first = await suite.open();
    await first.ask('/blocks 1');
    const second = await suite.openIn(first.context);
    await second.waitForEnds();
    await first.say('/blocks 4 100');
    await second.waitForEnds(2);
    expect(await second.said.allInnerTexts()).toEqual(['/blocks 1', '/blocks 4 100']);
    expect(await second.blocks.allInnerTexts()).toEqual(['block 1', ...numbered(4)]);
    await second.ask('/blocks 2', 3);
    await first.waitForEnds(3);
    expect(await first.blocks.allInnerTexts()).toEqual(await second.blocks.allInnerTexts());
    expect(await first.connection.innerText()).toContain('Connected');
  });

  it('[W-12] is one of several, each with its own history', async () => {
    const chat = await suite.open();
    await chat.ask('/blocks 1');
    await chat.page.getByRole('button', { name: 'New conversation' }).click();
    await chat.page.getByText('Hello, this is openclaw').waitFor();
    await chat.ask('/blocks 2');
    const list = chat.page.getByRole('navigation', { name: 'Conversations' });
    await list.getByRole('link', { name: '/blocks 1', exact: true }).click();
    await eventually(async () => expect(await chat.blocks.allInnerTexts()).toEqual(['block 1']));
    await chat.page.reload();
    await chat.waitForEnds();
    expect(await chat.blocks.allInnerTexts()).toEqual(['block 1']);
    await list.getByRole('button', { name: 'More for “/blocks 1”' }).click();
    await chat.page.getByRole('menuitem', { name: 'Remove from the list' }).click();
    await eventually(async () => expect(await chat.blocks.allInnerTexts()).toEqual(numbered(2)));
    await chat.page.getByRole('button', { name: 'Undo' }).click();
    await eventually(async () => expect(await chat.blocks.allInnerTexts()).toEqual(['block 1']));
  });

  it('[W-11] is loaded page by page towards its beginning', async () => {
    const client = await suite.gateway.connect('filler');
    const payload = (i: number) => ({ channel: 'webchat', sender: 'web-reader', content: `/wait ${i}` });
    const acks = await Promise.all(
      Array.from({ length: 70 }, (_, i) => client.answerTo(client.send('message_in', payload(i)))),
    );
    const context = await suite.browser.newContext();
    const known = JSON.stringify([{ sender: 'web-reader', sessionId: acks[0]!.session_id }]);
    await context.addInitScript(
      (list) => localStorage.setItem('openclaw.webchat.default/local.conversations', list),
      known,
    );
    const chat = await suite.openIn(context);
    await chat.said.getByText('/wait 69', { exact: true }).waitFor();
    expect(await chat.said.count()).toBeLessThan(70);
    for (let shown = await chat.said.count(); shown < 70; shown = await chat.said.count()) {
      await chat.page.getByRole('log').evaluate((thread) => (thread.scrollTop = 0));
      await chat.said.nth(shown).waitFor();
    }
    expect(await chat.said.allInnerTexts()).toEqual(Array.from({ length: 70 }, (_, i) => `/wait ${i}`));
  });

  it('[W-13] notifies the gateway when the user types and when the user stops', async () => {
    const chat = await suite.open();
    await chat.ask('/blocks 1');
    const list = await chat.page.evaluate(
      () => localStorage.getItem('openclaw.webchat.default/local.conversations') ?? '[]',
    );
    const [{ sender } = { sender: '' }] = JSON.parse(list) as { sender: string }[];
    const presence = suite.gateway.app.get(PresenceTrackerService, { strict: false });
    const expectStatus = (status: string) =>
      eventually(() => expect(presence.find('default', 'webchat', sender)?.status ?? 'offline').toBe(status));
    await expectStatus('online');
    await chat.input.press('x');
    await expectStatus('typing');
    await chat.input.press('Backspace');
    await expectStatus('online');
    await chat.page.goto('about:blank');
    await expectStatus('offline');
  });
});

describe.concurrent('a tool that needs an approval', () => {
  it('[W-25] shows its call, runs when it is allowed, also after a reload, and does not when it is denied', async () => {
    const gateway = await GatewayApp.start({ settings: { 'tools.approvals': ['time.now'] } });
    const chat = await suite.open({}, gateway.url, await gateway.makeLink());
    await chat.say('/tool time.now {"time_zone":"Europe/Zurich"}');
    const question = chat.page.getByRole('group', { name: 'time.now wants to run' });
    await question.getByText('Europe/Zurich', { exact: true }).waitFor();
    expect(await question.locator('dt').allInnerTexts()).toEqual(['time_zone']);
    await chat.page.reload();
    await question.getByRole('button', { name: 'Allow once' }).click();
    await chat.waitForEnds();
    expect(await chat.replies.locator('summary').innerText()).toMatch(/time\.now\s*done/);
    await chat.say('/tool time.now {}');
    await question.getByRole('button', { name: 'Deny' }).click();
    await chat.waitForEnds(2);
    const denied = () => chat.replies.nth(1).locator('summary').innerText();
    expect(await denied()).toMatch(/time\.now\s*denied by you/);
    await chat.page.reload();
    await chat.waitForEnds(2);
    expect(await denied()).toMatch(/time\.now\s*denied by you/);
    // Each holder of the local token is `local`: another tab does not know who it was.
    const other = await suite.openIn(chat.context, '/chat', gateway.url);
    await other.waitForEnds(2);
    expect(await other.replies.nth(1).locator('summary').innerText()).toMatch(/denied with the local token/);
    await gateway.close();
  });

  it('[X-45] asks for the local token in a page without it', async () => {
    const gateway = await GatewayApp.start({ settings: { 'tools.approvals': ['time.now'] } });
    const chat = await suite.open({}, gateway.url);
    await chat.say('/tool time.now {}');
    const question = chat.page.getByRole('group', { name: 'time.now wants to run' });
    await question.getByText('sign in with the token').waitFor();
    expect(await question.getByRole('button', { name: 'Allow once' }).count()).toBe(0);
    await question.getByRole('button', { name: 'Sign in' }).click();
    await chat.page.getByText('data/local.token').waitFor();
    await chat.page.getByRole('button', { name: 'Cancel' }).click();
    await question.getByRole('button', { name: 'Sign in' }).click();
    await chat.page.getByLabel('Token').fill(gateway.localToken);
    await chat.page.getByLabel('Token').press('Enter');
    await question.getByRole('button', { name: 'Allow once' }).click();
    await chat.waitForEnds();
    await gateway.close();
  });
});

describe('an answer', () => {
  const agent = new ScriptedRuntime();

  @Global()
  @Module({ providers: [{ provide: AgentRuntime, useValue: agent }], exports: [AgentRuntime] })
  class ScriptedAgentModule {}

  it('[W-01] is shown while it grows, and read out only when a block is complete', async () => {
    const gateway = await GatewayApp.start({ agent: ScriptedAgentModule });
    const chat = await suite.open({}, gateway.url);
    await chat.page.getByText('Hello, this is openclaw').waitFor();
    expect(await chat.page.getByRole('button', { name: '/demo' }).isVisible()).toBe(false);
    const readOut = chat.page.locator('p[aria-live=polite]');
    await chat.say('Tell me');
    await chat.page.getByRole('img', { name: 'openclaw is answering' }).waitFor();
    agent.say('The first ');
    await chat.replies.getByText('The first').waitFor();
    agent.say('sentence of two');
    await chat.replies.getByText('The first sentence of two').waitFor();
    expect(await readOut.textContent()).toBe('');
    agent.say('.\n\n```js\nconst half = ');
    await chat.replies.locator('chat-code').getByText('const half =').waitFor();
    await eventually(async () => expect(await readOut.textContent()).toContain('The first sentence of two.'));
    agent.say('1 / 2;\n```\n');
    agent.say('END');
    await chat.waitForEnds();
    expect(await chat.replies.locator('chat-code code').innerText()).toBe('const half = 1 / 2;');
    await gateway.close();
  });

  it('[W-14] is stopped by a button, and the part that was shown stays', async () => {
    const gateway = await GatewayApp.start({ agent: ScriptedAgentModule });
    const chat = await suite.open({}, gateway.url);
    await chat.say('Tell me');
    agent.say('Something begun.\n\nAnd ');
    await chat.replies.getByText('Something begun.').waitFor();
    await chat.page.getByRole('button', { name: 'Stop the answer' }).click();
    await chat.replies.getByText('Stopped').waitFor();
    expect(await chat.page.getByRole('button', { name: 'Stop the answer' }).count()).toBe(0);
    await gateway.close();
  });
});
