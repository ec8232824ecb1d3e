/**
 * The contract of AgentRuntime as tests: `describeAgentRuntimeContract` runs them against one runtime. Needs vitest, and is
 * therefore exported by `contracts.ts` and not by the barrel of fakes.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentRuntime } from '../core/turns/agent-runtime.js';
import { GatewayError } from '../protocol/index.js';
import { ECHO_TOOL, FakeTurn } from './fake-turn.js';
import type { ContractGap } from './store.contract.js';

/** The course of the next turns. */
export type RuntimeScenario =
  /** One answer without tool calls. */
  | 'say'
  /** An answer that calls `contract.echo` with `{ "value": 7 }`. The turn then ends in any way. */
  | 'call'
  /** No end before the turn is aborted. */
  | 'wait'
  /** A failure for a reason outside the gateway. */
  | 'fail'
  /** Two answers without tool calls, the second to a message that joined. */
  | 'join';

/** A runtime under test with its environment. */
export interface RuntimeUnderTest {
  readonly runtime: AgentRuntime;
  /** Prepares `turns` turns of a kind and returns the text of the message that leads to each. */
  prepare(scenario: RuntimeScenario, turns?: number): string;
  /** Resolves when a turn of the kind `wait` is under way. */
  whenWaiting(): Promise<void>;
  dispose(): Promise<void>;
}

type ContractTest = (under: RuntimeUnderTest) => Promise<void>;

/** The tests by name. */
export const AGENT_RUNTIME_CONTRACT: Readonly<Record<string, ContractTest>> = {
  'has a name of one word': async ({ runtime }) => {
    expect(runtime.name).toMatch(/^[a-z][a-z0-9_-]*$/);
  },

  'shows an answer, then yields it, and ends': async (under) => {
    const turn = await run(under, 'say');
    expect(turn.events.filter(({ type }) => type === 'answer')).toHaveLength(1);
    expect(turn.events.at(-1)).toMatchObject({ type: 'answer', answer: { toolCalls: [] } });
    const shown = turn.events.map((event) =>
      event.type === 'text' ? event.text : event.type === 'piece' ? event.piece.text : '',
    );
    expect(shown.join('').trim()).not.toBe('');
  },

  'ends each block that it shows in pieces before the answer': async (under) => {
    const turn = await run(under, 'say');
    let isOpen = false;
    for (const event of turn.events) {
      if (event.type === 'piece') isOpen = !event.piece.ends;
      else expect(isOpen).toBe(false);
    }
  },

  'counts tokens in whole numbers, if it counts them': async (under) => {
    for (const { usage } of [...(await run(under, 'say')).answers, ...(await run(under, 'call')).answers]) {
      for (const count of usage ? [usage.input_tokens, usage.output_tokens] : [])
        expect(Number.isInteger(count) && count >= 0).toBe(true);
    }
  },

  'yields answers that a journal can keep as JSON': async (under) => {
    const turn = await run(under, 'call');
    expect(turn.answers).toEqual(JSON.parse(JSON.stringify(turn.answers)));
  },

  "calls tools by the gateway's names": async (under) => {
    const turn = await run(under, 'call');
    expect(turn.answers[0]?.toolCalls).toEqual([{ tool: ECHO_TOOL.name, parameters: { value: 7 } }]);
  },

  'calls a tool once, after the answer that asks for it': async (under) => {
    const { acts, answers } = await run(under, 'call');
    const call = { act: 'call', answer: 0, index: 0, call: answers[0]?.toolCalls[0] };
    expect(acts.filter(({ act }) => act === 'call')).toEqual([call]);
    const asked = acts.findIndex((act) => act.act === 'event' && act.event.type === 'answer');
    expect(acts.findIndex(({ act }) => act === 'call')).toBeGreaterThan(asked);
  },

  'does not yield a recorded answer again': async (under) => {
    const first = await run(under, 'say');
    const again = new FakeTurn(first.message.payload.content, { recorded: first.answers });
    await again.run(under.runtime);
    expect(again.events).toEqual([]);
  },

  'continues from a recorded answer with its tool calls': async (under) => {
    const first = await run(under, 'call');
    const [asking, ...later] = first.answers;
    const again = new FakeTurn(first.message.payload.content, { recorded: [asking!, ...later] });
    await again.run(under.runtime);
    expect(again.answers).toEqual([]);
    expect(again.acts.filter(({ act }) => act === 'call')).toEqual(first.acts.filter(({ act }) => act === 'call'));
  },

  'ends when its signal aborts, without another answer': async (under) => {
    const turn = new FakeTurn(under.prepare('wait'));
    const running = turn.run(under.runtime);
    await under.whenWaiting();
    turn.abort();
    const shown = turn.events.length;
    await running;
    expect(turn.events.slice(shown)).toEqual([]);
    expect(turn.answers).toEqual([]);
  },

  'throws AGENT_FAILED for a failure, with a reason that users can read': async (under) => {
    const turn = new FakeTurn(under.prepare('fail'));
    const error = await turn.run(under.runtime).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: 'AGENT_FAILED', message: expect.stringMatching(/\S/) as string });
    expect(turn.answers).toEqual([]);
  },

  'answers at once only what it would show in a run': async (under) => {
    const turn = await run(under, 'say');
    const pieces = under.runtime.answerNow(turn);
    const shown = turn.events.flatMap((event) => (event.type === 'piece' ? event.piece : []));
    expect(pieces ?? shown).toEqual(shown);
    for (const scenario of ['call', 'wait', 'fail'] as const) {
      expect(under.runtime.answerNow(new FakeTurn(under.prepare(scenario)))).toBeUndefined();
    }
  },

  'keeps concurrent turns apart': async (under) => {
    const content = under.prepare('say', 2);
    const turns = [new FakeTurn(content), new FakeTurn(content)];
    await Promise.all(turns.map((turn) => turn.run(under.runtime)));
    for (const turn of turns) expect(turn.answers).toHaveLength(1);
  },

  'asks for joined messages between answers, before it shows the next one, and answers them': async (under) => {
    const turn = new FakeTurn(under.prepare('join'), { joining: { 1: 'and another thing' } });
    await turn.run(under.runtime);
    expect(turn.answers).toHaveLength(2);
    let answered = 0;
    let isShown = false;
    for (const act of turn.acts) {
      if (act.act === 'joined') {
        expect([act.before <= answered, isShown]).toEqual([true, false]);
      } else if (act.act === 'event') {
        isShown = act.event.type === 'text' || act.event.type === 'piece';
        if (act.event.type === 'answer') answered++;
      }
    }
    expect(turn.acts.filter(({ act }) => act === 'joined')).toContainEqual({ act: 'joined', before: 1 });
  },

  'accepts presence changes without an error': async ({ runtime }) => {
    const state = { tenant: 'default', userId: 'alice', channel: 'test', status: 'typing', lastSeen: 0 } as const;
    expect(runtime.noticePresence(state)).toBeUndefined();
  },
};

async function run(under: RuntimeUnderTest, scenario: RuntimeScenario): Promise<FakeTurn> {
  const turn = new FakeTurn(under.prepare(scenario));
  await turn.run(under.runtime);
  return turn;
}

/**
 * Registers the contract as vitest tests.
 * @param makeRuntime returns a new runtime for each test
 * @throws Error when `skip` names a test that does not exist
 */
export function describeAgentRuntimeContract(
  name: string,
  makeRuntime: () => Promise<RuntimeUnderTest>,
  { skip = [] }: { readonly skip?: readonly ContractGap[] } = {},
): void {
  const gaps = new Map(skip.flatMap(({ reason, tests }) => tests.map((test) => [test, reason])));
  const unknown = [...gaps.keys()].filter((test) => !(test in AGENT_RUNTIME_CONTRACT));
  if (unknown.length > 0) throw new Error(`no such tests in the contract of agent runtimes: ${unknown.join('; ')}`);

  describe(name, () => {
    let under: RuntimeUnderTest;
    beforeEach(async () => {
      under = await makeRuntime();
    });
    afterEach(() => under.dispose());

    for (const [title, test] of Object.entries(AGENT_RUNTIME_CONTRACT)) {
      const gap = gaps.get(title);
      it(gap === undefined ? title : `${title} (${gap})`, { skip: gap !== undefined }, () => test(under));
    }
  });
}
