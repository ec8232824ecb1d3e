import { Global, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AgentRuntime } from '../../src/core/turns/agent-runtime.js';
import { expectTime } from '../support/expect-time.js';
import { ScriptedRuntime } from '../support/scripted-runtime.js';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';

const MAX_SIGN_MS = 1_000;

const agent = new ScriptedRuntime();

@Global()
@Module({ providers: [{ provide: AgentRuntime, useValue: agent }], exports: [AgentRuntime] })
class ScriptedAgentModule {}

const scripted = useChat({ agent: ScriptedAgentModule });
const suite = useChat({ settings: { 'tools.approvals': ['time.now'] } });

describe('a message', () => {
  it('[W-40] is shown as stored once it is, while it is answered, and as answered at the end', async () => {
    const chat = await scripted.open();
    await chat.say('Tell me');
    const aside = chat.page.locator('.aside').first();
    await aside.getByText('stored').waitFor();
    await chat.page.getByRole('img', { name: 'openclaw is answering' }).waitFor();
    agent.say('Yes.');
    agent.say('END');
    await aside.getByText('answered').waitFor();
    expect(await chat.page.locator('.answering').count()).toBe(0);
  });

  it('[W-40] that is not acknowledged looks sent, never stored, and says after three seconds that it is being sent', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    await context.routeWebSocket(/.*/, (socket) => {
      const gateway = socket.connectToServer();
      gateway.onMessage((message) => {
        if (/"(connected|webchat\.identity)"/.test(String(message))) socket.send(message);
      });
    });
    const chat = await suite.openIn(context);
    await chat.waitForWelcome();
    await chat.say('/blocks 1');
    const aside = chat.page.locator('.aside').first();
    await aside.getByText('sent', { exact: true }).waitFor();
    await aside.getByText('Sending…').waitFor();
    expect(await aside.getByText('stored').count()).toBe(0);
  });

  it('[W-41] written offline has a sign within a second, and is sent and answered once', async () => {
    const chat = await suite.open();
    await chat.waitForConnection();
    await chat.context.setOffline(true);
    const before = performance.now();
    await chat.say('/blocks 1');
    await chat.page.locator('.aside').getByText('Will be sent once there is a connection').waitFor();
    await chat.connection.getByText('You are offline').waitFor();
    expectTime(performance.now() - before, MAX_SIGN_MS);
    await chat.page.getByText('What you write is kept').waitFor();
    await chat.context.setOffline(false);
    await chat.waitForEnds();
    await chat.page.getByText('Back again: 1 message sent.').waitFor();
    expect(await chat.said.allInnerTexts()).toEqual(['/blocks 1']);
    expect(await chat.blocks.allInnerTexts()).toEqual(['block 1']);
  });

  it('[W-40] that waits has its place in line, and goes back into the composer to be edited', async () => {
    const chat = await suite.open();
    await chat.waitForConnection();
    for (const text of ['/wait 60000', 'first', 'second', 'third']) await chat.say(text);
    const fates = chat.page.locator('.aside .state');
    await eventually(async () =>
      expect(await fates.allInnerTexts()).toEqual(['next in line', '2nd in line', '3rd in line']),
    );
    await chat.page.reload();
    await eventually(async () =>
      expect(await fates.allInnerTexts()).toEqual(['next in line', '2nd in line', '3rd in line']),
    );
    await chat.page.locator('.said').nth(1).getByRole('button', { name: 'Edit' }).click();
    await eventually(async () => expect(await fates.allInnerTexts()).toEqual(['next in line', '2nd in line']));
    expect(await chat.input.inputValue()).toBe('first');
  });
});

describe('a tool call that a person denied', () => {
  it('[W-40] looks held back and not broken, also after a reload', async () => {
    const chat = await suite.open({}, suite.gateway.url, await suite.gateway.makeLink());
    await chat.say('/tool time.now {}');
    await chat.page.getByRole('button', { name: 'Deny' }).click();
    const outcome = chat.replies.locator('.outcome.held').getByText(/^denied/);
    await outcome.waitFor();
    await chat.waitForEnds();
    await chat.page.reload();
    await outcome.waitFor();
  });
});
