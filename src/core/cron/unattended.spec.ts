import Type from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { CronHarness } from '../../testing/cron-harness.js';
import type { ToolDefinition } from '../tools/tool.js';

const DANGER: ToolDefinition = {
  name: 'danger',
  description: 'needs an approval',
  parameters: Type.Object({}),
  permissions: [],
  timeoutMs: 1_000,
  idempotent: true,
  requiresApproval: true,
  sandbox: false,
  handler: () => 'done',
};

let harness: CronHarness;
afterEach(() => harness.stop());

async function runOnce(approvalWaitMs: number): Promise<string> {
  harness = await CronHarness.start('2026-11-26T07:00:00Z', { tools: [DANGER] });
  const schedule = { every_ms: 3_600_000 };
  const job = await harness.add({ schedule, message: '/tool danger {}', approval_wait_ms: approvalWaitMs });
  await harness.passUntil('2026-11-26T08:00:03Z');
  const [run] = await harness.runs(job);
  if (run?.status === 'running') await harness.pass(10_000);
  const [message] = await harness.messages();
  return `${run?.status} ${message?.reply?.blocks.map(({ content }) => content).join(' ')}`;
}

describe('a call that needs an approval in a run of a job', () => {
  it('[J-10] is denied at once and finally, because no person is there', async () => {
    expect(await runOnce(0)).toMatch(/^done .*it cannot be approved in this run of a job; this is final/);
  });

  it('[J-10] waits as long as the job says, where it does', async () => {
    expect(await runOnce(5_000)).toMatch(/^running .*it was not approved in time/);
  });
});
