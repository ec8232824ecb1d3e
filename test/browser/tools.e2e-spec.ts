import { Global, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AgentRuntime, type AgentEvent, type AgentTurn } from '../../src/core/turns/agent-runtime.js';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';

const LINE = 'a line of the result, with <b>markup</b>\n';
const LENGTH = 1_000_000;

/** In milliseconds. With `LONG` unset it allows for a busy machine. */
const MAX_TASK_MS = process.env['LONG'] ? 200 : 1_000;

/** Calls as many tools as the message says, of which the last one fails, or shows a result of 1 MB. */
class ToolRuntime extends AgentRuntime {
  override readonly name = 'tools';

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const { content } = turn.message.payload;
    if (content === 'large') {
      const result = { call_id: 'c', ok: true, content: LINE.repeat(LENGTH / LINE.length) };
      const [call, end] = [{ call_id: 'c', tool: 'files.read', parameters: {} }, result].map((each) =>
        JSON.stringify(each),
      );
      yield { type: 'piece', piece: { blockType: 'tool_call', text: call ?? '', ends: true } };
      yield { type: 'piece', piece: { blockType: 'tool_result', text: end ?? '', ends: true } };
    } else {
      const toolCalls = Array.from({ length: Number(content) }, (_, i) => ({
        tool: i === Number(content) - 1 ? 'no.such' : 'time.now',
        parameters: {},
      }));
      yield { type: 'answer', answer: { toolCalls } };
      for (const [i, call] of toolCalls.entries()) await turn.callTool(0, i, call);
    }
    yield { type: 'text', text: 'That is all.' };
    yield { type: 'answer', answer: { toolCalls: [] } };
  }
}

@Global()
@Module({ providers: [{ provide: AgentRuntime, useClass: ToolRuntime }], exports: [AgentRuntime] })
class ToolAgentModule {}

const suite = useChat({ agent: ToolAgentModule });

describe('the tools of an answer', () => {
  it('[W-75] fold when there are more than three, into how many there are and how many failed, also after a reload', async () => {
    const chat = await suite.open();
    await chat.ask('3');
    expect(await chat.page.locator('details.tools').count()).toBe(0);
    await chat.ask('5', 2);
    const folded = chat.page.locator('details.tools');
    const expectFolded = async () => {
      await folded.getByText('5 tools · 1 failed').waitFor();
      expect(await folded.locator('.fold').first().isVisible()).toBe(false);
    };
    await expectFolded();
    await chat.page.reload();
    await expectFolded();
    await folded.locator('summary').first().click();
    expect(await folded.locator('.fold').count()).toBe(5);
    await folded.locator('.outcome.bad').getByText('failed').waitFor();
  });

  it('[W-63] may have a result of 1 MB, which is shown in parts without a long task', async () => {
    const chat = await suite.open();
    await chat.ask('large');
    await chat.page.reload();
    await chat.waitForEnds();
    await chat.page.evaluate(`{
      globalThis.tasks = [];
      const note = (list) => tasks.push(...list.getEntries().map(({ duration }) => duration));
      new PerformanceObserver(note).observe({ type: 'longtask' });
    }`);
    const result = chat.page.locator('.fold').first();
    await result.locator('summary').click();
    await result.getByRole('button', { name: /^Show all/ }).click();
    await eventually(async () => expect(await result.locator('.part').count()).toBeGreaterThan(49));
    await eventually(async () => expect(await result.getByRole('button').count()).toBe(0));
    const tasks = await chat.page.evaluate<number[]>('tasks');
    expect(Math.max(0, ...tasks)).toBeLessThan(MAX_TASK_MS);
  });
});
