import { afterEach, expect, it } from 'vitest';
import { CoreHarness } from '../../testing/core-harness.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { UnknownNamesService } from './unknown-names.service.js';

/** Keeps the fields of warnings. */
class KeptWarnings extends Logs {
  readonly kept: object[] = [];
  override for(): Log {
    const none = () => {};
    const warn = (fields: object) => void this.kept.push(fields);
    return { trace: none, debug: none, info: none, error: none, warn, isEnabled: () => true };
  }
}

let harness: CoreHarness;
afterEach(() => harness.stop());

it('names permissions and tools of agents that no tool has', async () => {
  harness = new CoreHarness({
    settings: {
      agents: {
        ops: {
          permissions: ['pay', 'agents:main', 'skills', 'nonsense'],
          tools: { allow: ['acme.*'], deny: ['shel'] },
        },
        fine: { permissions: ['pay'], tools: { deny: ['acme.pay'] } },
      },
    },
  });
  const base = { description: 'For tests.', parameters: {}, timeoutMs: 1, idempotent: true, sandbox: false };
  const tool = { ...base, requiresApproval: false, handler: () => 'done' };
  harness.tools.register({ ...tool, name: 'acme.pay', permissions: ['pay'] });
  harness.tools.register({ ...tool, name: 'acme.ask', permissions: ['agents'], permissionOf: () => 'agents:main' });
  const logs = new KeptWarnings();
  new UnknownNamesService(harness.tools, harness.agents, logs).check();
  expect(logs.kept).toEqual([{ agent: 'ops', permissions: ['nonsense'], tools: ['shel'] }]);
  await harness.start();
});
