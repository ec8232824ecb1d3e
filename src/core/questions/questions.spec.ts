import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BuiltinRuntime } from '../../agents/builtin/builtin-runtime.js';
import { CoreHarness } from '../../testing/core-harness.js';
import { FakeReader } from '../../testing/fake-reader.js';
import { storeAt } from '../../testing/test-stores.js';
import type { AgentEvent, AgentTurn } from '../turns/agent-runtime.js';
import { readQuestion } from './question.js';

/** The moment at which the process ends: while the asked agent works, or after it has answered and before its asker has the answer. */
type Death = 'while it is answered' | 'after its answer';

class DyingRuntime extends BuiltinRuntime {
  readonly asked: string[] = [];
  death: Death | undefined;
  readonly reached = Promise.withResolvers<void>();

  override answerNow(): undefined {
    return undefined;
  }

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    if (!readQuestion(turn.message)) return yield* super.run(turn);
    this.asked.push(turn.message.messageRef);
    if (this.death === 'while it is answered') {
      this.reached.resolve();
      await new Promise(() => {});
    }
    yield* super.run(turn);
  }
}

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'questions-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function open(death?: Death) {
  let runtime: DyingRuntime | undefined;
  const harness = new CoreHarness({
    store: storeAt(`sqlite:${join(folder, 'gateway.db')}`),
    settings: { 'agent.concurrency': 1, agents: { other: {} } },
    runtime: (clock) => {
      runtime = new DyingRuntime(clock);
      runtime.death = death;
      return runtime;
    },
  });
  const { questions, agents } = harness;
  harness.tools.register({
    name: 'test.ask',
    description: 'Asks.',
    parameters: { type: 'object' },
    permissions: [],
    timeoutMs: 1_000_000,
    idempotent: true,
    requiresApproval: false,
    sandbox: false,
    isWaiting: true,
    handler: async (_parameters, { callId, session, agent, turn, signal }) => {
      const asked = agents.get('other');
      const question = { callId, session, asker: agent, asked, text: 'well?', permissions: [] };
      const { reason } = await questions.ask({ ...turn!, ...question, chain: [agent.id] }, signal);
      if (death === 'after its answer') {
        runtime?.reached.resolve();
        await new Promise(() => {});
      }
      return reason;
    },
  });
  return { harness, runtime: runtime! };
}

it.each<[how: 'crash' | 'stop', death: Death]>([
  ['crash', 'while it is answered'],
  ['crash', 'after its answer'],
  ['stop', 'while it is answered'],
])('[Z-21] a question is one message with one answer, also with a single slot, after a %s %s', async (how, death) => {
  const first = open(death);
  await first.harness.start();
  await first.harness.say(new FakeReader(), 'm1', '/tool test.ask {}');
  await first.runtime.reached.promise;
  await first.harness[how]();

  const second = open();
  await second.harness.start();
  const { harness } = second;
  const { sessionId } = await harness.say(new FakeReader(), 'm2', '/blocks 1');
  const ended = async () => {
    const { messages } = await harness.store.readHistory(sessionId, 10);
    return messages.map(({ status }) => status);
  };
  await expect.poll(ended).toEqual(['done', 'done']);
  expect(second.runtime.asked).toHaveLength(death === 'while it is answered' ? 1 : 0);
  expect(new Set([...first.runtime.asked, ...second.runtime.asked]).size).toBe(1);
  const [asking] = (await harness.store.readHistory(sessionId, 10)).messages;
  const results = asking!.reply!.blocks.filter(({ block_type: type }) => type === 'tool_result');
  expect(results.map(({ content }) => content)).toEqual([expect.stringContaining('"content":"stop"') as string]);
  await harness.stop();
});
