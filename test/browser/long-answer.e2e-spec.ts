import { Global, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AgentRuntime } from '../../src/core/turns/agent-runtime.js';
import { useChat } from '../support/chat-page.js';
import { eventually } from '../support/eventually.js';
import { ScriptedRuntime } from '../support/scripted-runtime.js';

const agent = new ScriptedRuntime();

@Global()
@Module({ providers: [{ provide: AgentRuntime, useValue: agent }], exports: [AgentRuntime] })
class ScriptedAgentModule {}

const suite = useChat({ agent: ScriptedAgentModule });

const write = (from: number, to: number) => {
  for (let i = from; i < to; i++) agent.say(`Paragraph ${i} with **bold** text.\n\n`);
};

/** Counts rendered paragraphs and the elements that were added to or removed from the thread. */
const COUNT = `{
  globalThis.counts = { rendered: 0, changed: 0 };
  const { prototype } = customElements.get('chat-markdown');
  const render = prototype.render;
  prototype.render = function () {
    counts.rendered++;
    return render.call(this);
  };
  new MutationObserver((records) => {
    for (const { addedNodes, removedNodes } of records)
      counts.changed += [...addedNodes, ...removedNodes].filter((node) => node instanceof Element).length;
  }).observe(document.querySelector('.thread'), { childList: true, subtree: true });
}`;

/** The blocks that are laid out: all but those in sections out of sight. */
const LAID_OUT =
  "[...document.querySelectorAll('.reply .block')].filter((block) => block.checkVisibility({ contentVisibilityAuto: true })).length";

describe('an answer of many blocks', () => {
  it('[W-67] renders and lays out as little for each new block when it is long as when it is short', async () => {
    const chat = await suite.open();
    await chat.say('Tell me all');
    const grow = async (from: number, to: number) => {
      write(from, to);
      await eventually(async () => expect(await chat.blocks.count()).toBe(to));
      await chat.blocks.getByText(`Paragraph ${to - 1} `).waitFor();
    };
    await grow(0, 120);
    await chat.page.evaluate(COUNT);
    const measure = async (from: number) => {
      await chat.page.evaluate('counts.rendered = counts.changed = 0');
      await grow(from, from + 30);
      return chat.page.evaluate<{ rendered: number; changed: number }>('({ ...counts })');
    };
    const short = await measure(120);
    await grow(150, 1_000);
    const long = await measure(1_000);
    // Each block is rendered when it begins, as it grows, and when it is complete.
    expect(long.rendered).toBeLessThan(30 * 5);
    expect(long.changed).toBeLessThan(short.changed * 2);
    await eventually(async () => expect(await chat.page.evaluate<number>(LAID_OUT)).toBeLessThan(200));
    agent.say('END');
    await chat.waitForEnds();
    expect(await chat.blocks.count()).toBe(1_030);
  });

  it('[W-07] keeps what was read when the connection is lost, and shows it once when it goes on', async () => {
    const context = await suite.browser.newContext({ reducedMotion: 'reduce' });
    const sockets: { close(): Promise<void> }[] = [];
    let isCut = false;
    await context.routeWebSocket(/.*/, (socket) => {
      if (isCut) return void socket.close();
      socket.connectToServer();
      sockets.push(socket);
    });
    const chat = await suite.openIn(context);
    await chat.waitForConnection();
    await chat.say('Tell me');
    agent.say('A whole paragraph.\n\nThe beginning of ');
    await chat.blocks.getByText('The beginning of').waitFor();
    isCut = true;
    for (const socket of sockets) await socket.close();
    await chat.connection.getByText('reconnecting').waitFor();
    await chat.page.getByText(/^As of .+ There is no connection/).waitFor();
    expect(await chat.blocks.allInnerTexts()).toEqual(['A whole paragraph.', 'The beginning of']);
    isCut = false;
    await chat.waitForConnection();
    await chat.page.getByText('The end of this part was missed').waitFor();
    agent.say('another.\n\n');
    await chat.blocks.getByText('another').waitFor();
    agent.say('END');
    await chat.waitForEnds();
    expect(await chat.blocks.allInnerTexts()).toEqual(['A whole paragraph.', 'The beginning of another.']);
    await context.close();
  });

  it('that nests very deeply is shown as it was written', async () => {
    const chat = await suite.open();
    const quotes = `${'>'.repeat(2_000)} far down`;
    const list = Array.from({ length: 400 }, (_, i) => `${' '.repeat(i * 2)}- x`).join('\n');
    for (const [i, text] of [quotes, list].entries()) {
      agent.say(text);
      agent.say('END');
      await chat.ask('deep', i + 1);
    }
    await chat.replies.getByText('far down').waitFor();
    expect(await chat.replies.last().innerText()).toContain('x');
  });
});
