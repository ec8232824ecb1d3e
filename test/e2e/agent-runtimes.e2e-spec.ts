import { BuiltinRuntime } from '../../src/agents/builtin/builtin-runtime.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { describeAgentRuntimeContract, type RuntimeScenario } from '../../src/testing/agent-runtime.contract.js';
import { CoreHarness } from '../../src/testing/core-harness.js';
import { ManualClock } from '../../src/testing/index.js';
import { buildPiRuntime, SleeplessClock } from '../support/model-harness.js';
import { ModelServer, WIRES, type ScriptedAnswer } from '../support/model-server.js';
import { describe, expect } from 'vitest';

const BUILTIN_MESSAGES: Readonly<Record<RuntimeScenario, string>> = {
  say: 'hello',
  call: '/tool contract.echo {"value": 7}',
  wait: '/wait 60000',
  fail: '/fail',
  join: 'hello',
};

describeAgentRuntimeContract(
  'the built-in runtime',
  async () => {
    const clock = new ManualClock();
    return {
      runtime: new BuiltinRuntime(clock),
      prepare: (scenario) => BUILTIN_MESSAGES[scenario],
      whenWaiting: async () => {
        await expect.poll(() => clock.pendingTimers).toBeGreaterThan(0);
      },
      dispose: async () => {},
    };
  },
  {
    skip: [
      {
        reason: 'it answers one message per turn; waiting messages get their own turns',
        tests: ['asks for joined messages between answers, before it shows the next one, and answers them'],
      },
    ],
  },
);

const call = { toolCalls: [{ name: 'contract_echo', arguments: '{"value":7}', id: 'call_1' }] };
const said = { content: 'What the model says.' };
const MODEL_ANSWERS: Readonly<Record<RuntimeScenario, readonly ScriptedAnswer[]>> = {
  say: [said],
  call: [call, said],
  wait: [{ response: said, latency: 60_000 }],
  fail: [{ error: { message: 'no', type: 'invalid_request_error' }, status: 400 }],
  join: [said, said],
};

describe.each(WIRES)('over %s', (wire) => {
  describeAgentRuntimeContract('the runtime with a model', async () => {
    const server = await ModelServer.start();
    const settings = { 'agent.model': 'local/test-model', providers: { local: server.provider(wire) } };
    const { config, agents, store } = new CoreHarness({ settings });
    return {
      runtime: buildPiRuntime({ config, agents, sessions: store }, new SleeplessClock(), new SilentLogs()),
      prepare: (scenario, turns = 1) => {
        for (let i = 0; i < turns; i++) server.answer(...MODEL_ANSWERS[scenario]);
        return 'hello';
      },
      whenWaiting: async () => {
        await expect.poll(() => server.asked.length).toBeGreaterThan(0);
      },
      dispose: () => server.stop(),
    };
  });
});
