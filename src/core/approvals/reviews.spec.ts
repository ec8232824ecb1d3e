import { afterEach, describe, expect, it } from 'vitest';
import Type from 'typebox';
import { LOCAL_OPERATOR } from '../identity/principal.js';
import { CoreHarness } from '../../testing/core-harness.js';
import { FakeReader } from '../../testing/fake-reader.js';
import { aTool } from '../../testing/scripted-turns.js';
import type { CallReview, ToolDefinition } from '../tools/tool.js';

let harness: CoreHarness;
afterEach(() => harness.stop());

/** The runs of the tool, each with what was approved for it. */
const runs: { readonly amount: number; readonly approved: string | undefined }[] = [];
const reviews: number[] = [];

/** Pays; more than 100 needs an approval. */
function payTool(changes: Partial<ToolDefinition> = {}): ToolDefinition {
  return aTool({
    name: 'test.pay',
    parameters: Type.Object({ amount: Type.Integer(), pin: Type.Optional(Type.String()) }),
    review: (parameters) => {
      const { amount, pin } = parameters as { amount: number; pin?: string };
      reviews.push(amount);
      return {
        needsApproval: amount > 100,
        shown: `Pays ${amount} EUR to "Ann"`,
        ...(pin !== undefined && { shownParameters: { amount, pin: '(secret)' } }),
      };
    },
    handler: (parameters, { approved }) => {
      const { amount } = parameters as { amount: number };
      runs.push({ amount, approved });
      return { paid: amount };
    },
    ...changes,
  });
}

async function start(tool: ToolDefinition, settings: Record<string, unknown> = {}): Promise<FakeReader> {
  runs.length = 0;
  reviews.length = 0;
  harness = await new CoreHarness({ tools: [tool], settings }).start();
  return new FakeReader();
}

const statuses = (reader: FakeReader) =>
  reader.frames.filter((frame) => frame.type === 'tool_status').map((frame) => frame.payload['status']);
const asked = (reader: FakeReader) => reader.waitFor((seen) => seen.payload['status'] === 'awaiting_approval');
async function allow(): Promise<void> {
  const [pending] = await harness.approvals.listPending(LOCAL_OPERATOR);
  await harness.approvals.decide(LOCAL_OPERATOR, pending!.approvalId, 'allow', pending!.argumentsSha256);
}

describe('a tool that reviews its calls', () => {
  it('[O-27] runs a call without an approval if its parameters need none', async () => {
    const reader = await start(payTool());
    await harness.say(reader, 'a', '/tool test.pay {"amount": 5}');
    await reader.waitForEnd('a');
    expect(statuses(reader)).toEqual(['requested', 'running', 'succeeded']);
    expect(runs).toEqual([{ amount: 5, approved: undefined }]);
  });

  it('[O-27] asks for a call whose parameters need an approval, and shows what the call will do', async () => {
    const reader = await start(payTool());
    await harness.say(reader, 'a', '/tool test.pay {"amount": 500}');
    expect((await asked(reader)).payload).toMatchObject({
      detail: 'Pays 500 EUR to "Ann"',
      approval: { arguments: { amount: 500 } },
    });
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toMatchObject([{ shown: 'Pays 500 EUR to "Ann"' }]);
    expect(runs).toEqual([]);
    await allow();
    await reader.waitForEnd('a');
    expect(runs).toEqual([{ amount: 500, approved: 'Pays 500 EUR to "Ann"' }]);
  });

  it('[O-27] shows what the call will do also where the settings require the approval', async () => {
    const reader = await start(payTool(), { 'tools.approvals': ['test.pay'] });
    await harness.say(reader, 'a', '/tool test.pay {"amount": 5}');
    expect((await asked(reader)).payload['detail']).toBe('Pays 5 EUR to "Ann"');
    await allow();
    await reader.waitForEnd('a');
    expect(runs).toEqual([{ amount: 5, approved: 'Pays 5 EUR to "Ann"' }]);
  });

  it('[O-27] keeps its secrets out of frames, the journal of the call and the list of approvals', async () => {
    const reader = await start(payTool());
    await harness.say(reader, 'a', '/tool test.pay {"amount": 500, "pin": "9-8-7"}');
    await asked(reader);
    const [pending] = await harness.approvals.listPending(LOCAL_OPERATOR);
    expect(JSON.parse(pending!.arguments)).toEqual({ amount: 500, pin: '(secret)' });
    await allow();
    await reader.waitForEnd('a');
    expect(JSON.stringify(reader.frames)).not.toContain('9-8-7');
    const { steps } = await harness.store.readTurn(pending!.messageRef);
    expect(
      steps
        .filter(({ kind }) => kind !== 'answer')
        .map(({ body }) => body)
        .join(),
    ).not.toContain('9-8-7');
    expect(runs).toHaveLength(1);
  });

  it('[O-27] is not asked again after an interruption: the call waits for the same approval', async () => {
    const reader = await start(payTool());
    await harness.say(reader, 'a', '/tool test.pay {"amount": 500}');
    await asked(reader);
    await harness.claims.drain(0, AbortSignal.abort());
    await allow();
    harness.startTurns();
    await reader.waitForEnd('a');
    expect(reviews).toEqual([500]);
    expect(runs).toEqual([{ amount: 500, approved: 'Pays 500 EUR to "Ann"' }]);
  });

  it.each<[string, ToolDefinition['review'], string]>([
    ['fails', () => Promise.reject(new Error('no page is open')), 'failed'],
    ['does not end in time', () => new Promise<CallReview>(() => {}), 'timed_out'],
  ])(
    '[O-27] ends a call whose review %s, without a start and without its parameters',
    async (_what, review, status) => {
      const begun = Promise.withResolvers<void>();
      const tool = payTool({
        review: (...call) => {
          begun.resolve();
          return review!(...call);
        },
      });
      const reader = await start(tool);
      await harness.say(reader, 'a', '/tool test.pay {"amount": 5, "pin": "9-8-7"}');
      await begun.promise;
      if (status === 'timed_out') await harness.clock.advanceAsync(1_000);
      await reader.waitForEnd('a');
      expect(statuses(reader)).toEqual(['requested', status]);
      expect(runs).toEqual([]);
      expect(JSON.stringify(reader.frames)).not.toContain('9-8-7');
    },
  );

  it('[O-27] is not asked about calls that are refused', async () => {
    const reader = await start(payTool({ permissions: ['pay'] }));
    await harness.say(reader, 'a', '/tool test.pay {"amount": 500}');
    await reader.waitForEnd('a');
    expect([statuses(reader), reviews]).toEqual([['requested', 'denied'], []]);
  });
});
