import { Global, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AgentRuntime, type AgentEvent, type AgentTurn } from '../../src/core/turns/agent-runtime.js';
import { useChat } from '../support/chat-page.js';

/** Calls as many tools as the message says, of which the last one fails. */
class ToolRuntime extends AgentRuntime {
  override readonly name = 'tools';

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const { content } = turn.message.payload;
    const toolCalls = Array.from({ length: Number(content) }, (_, i) => ({
      tool: i === Number(content) - 1 ? 'no.such' : 'time.now',
      parameters: {},
    }));
    yield { type: 'answer', answer: { toolCalls } };
    for (const [i, call] of toolCalls.entries()) await turn.callTool(0, i, call);
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
});
