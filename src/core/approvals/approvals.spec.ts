import { afterEach, describe, expect, it } from 'vitest';
import Type from 'typebox';
import { ASSUMED_OPERATOR, LOCAL_OPERATOR, type Principal } from '../identity/principal.js';
import { CoreHarness } from '../../testing/core-harness.js';
import { aSession, aUser } from '../../testing/factories.js';
import { FakeReader } from '../../testing/fake-reader.js';

let harness: CoreHarness;
afterEach(() => harness.stop());

interface Shown {
  approval_id: string;
  arguments: unknown;
  arguments_sha256: string;
  expires_at: number;
}

const starts: string[] = [];

/** Sends a call of a tool that needs an approval, and waits for the request. */
async function ask(settings: Record<string, unknown> = {}): Promise<{ reader: FakeReader; shown: Shown }> {
  starts.length = 0;
  const tool = {
    name: 'test.pay',
    description: 'Pays.',
    parameters: Type.Object({ amount: Type.Integer() }),
    permissions: [],
    timeoutMs: 1_000,
    idempotent: false,
    requiresApproval: true,
    sandbox: false,
    handler: (_parameters: unknown, { callId }: { callId: string }) => void starts.push(callId),
  };
  harness = await new CoreHarness({ tools: [tool], settings }).start();
  const reader = new FakeReader();
  await harness.say(reader, 'a', '/tool test.pay {"amount": 5}');
  const frame = await reader.waitFor((seen) => seen.payload['status'] === 'awaiting_approval');
  return { reader, shown: frame.payload['approval'] as Shown };
}

const decide = (
  shown: Shown,
  decision: 'allow' | 'deny',
  principal: Principal = LOCAL_OPERATOR,
  hash = shown.arguments_sha256,
) => harness.approvals.decide(principal, shown.approval_id, decision, hash);
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
const statuses = (reader: FakeReader) =>
  reader.frames.filter((frame) => frame.type === 'tool_status').map((frame) => frame.payload['status']);

describe('an approval', () => {
  it('[O-01] holds a call until it is allowed', async () => {
    const { reader, shown } = await ask();
    expect(shown).toMatchObject({ arguments: { amount: 5 }, expires_at: harness.clock.now() + 300_000 });
    expect(starts).toHaveLength(0);
    await decide(shown, 'allow');
    await reader.waitForEnd('a');
    expect(statuses(reader)).toEqual(['requested', 'awaiting_approval', 'running', 'succeeded']);
    expect(starts).toHaveLength(1);
  });

  it('[O-01] reaches the newer of two runs that wait for it, also after the older one has ended', async () => {
    const { shown } = await ask();
    const approval = (await harness.store.findApproval('default', shown.approval_id))!;
    const older = new AbortController();
    const waits = [
      harness.approvals.waitForDecision(approval, older.signal),
      harness.approvals.waitForDecision(approval, new AbortController().signal),
    ];
    older.abort();
    await waits[0];
    await decide(shown, 'allow');
    expect(await waits[1]).toMatchObject({ decision: 'allow' });
  });

  it('[TN-09] holds back nothing of the quota of its tenant while it waits', async () => {
    const { shown } = await ask({ tenants: { default: { quotas: { tokens_per_day: 100 } } } });
    const reader = new FakeReader();
    await harness.say(reader, 'b', 'hello', { session: aSession('bob') });
    expect((await reader.waitForEnd('b')).payload['reason']).toBe('stop');
    await decide(shown, 'allow');
  });

  it('[X-32] and the call that it allows are in the audit trail, without the arguments', async () => {
    const { reader, shown } = await ask();
    await decide(shown, 'allow');
    await reader.waitForEnd('a');
    const rows = await harness.store.listAudit({ order: 'oldest', limit: 9 });
    expect(rows.map(({ action, target }) => [action, target])).toEqual([
      ['approval.decide', shown.approval_id],
      ['tool.call', 'test.pay'],
    ]);
    expect(rows[1]?.after).toContain(shown.arguments_sha256);
    expect(rows[1]?.after).not.toContain('amount');
  });

  it('[O-01] that is denied ends the call as denied, and the turn continues', async () => {
    const { reader, shown } = await ask();
    await decide(shown, 'deny');
    expect((await reader.waitForEnd('a')).payload['reason']).toBe('stop');
    expect(statuses(reader).at(-1)).toBe('denied');
    expect(starts).toHaveLength(0);
  });

  it('[O-02] applies to exactly the shown arguments', async () => {
    const { shown } = await ask();
    expect(await code(decide(shown, 'allow', LOCAL_OPERATOR, '0'.repeat(64)))).toBe('FORBIDDEN');
    expect(starts).toHaveLength(0);
  });

  it('[O-03] is listed to operators who may read its session', async () => {
    await ask();
    const idsFor = async (principal: Principal) => (await harness.approvals.listPending(principal)).length;
    expect(await idsFor(LOCAL_OPERATOR)).toBe(1);
    expect(await idsFor({ ...LOCAL_OPERATOR, channels: ['test'] })).toBe(1);
    expect(await idsFor({ ...LOCAL_OPERATOR, channels: ['telegram'] })).toBe(0);
  });

  it('[O-03] is for operators and participants; for others it does not exist', async () => {
    const { reader, shown } = await ask();
    expect(await code(decide(shown, 'allow', aUser('bob')))).toBe('NOT_FOUND');
    expect(await code(decide(shown, 'allow', { ...LOCAL_OPERATOR, tenant: 'acme' }))).toBe('NOT_FOUND');
    expect(await code(decide(shown, 'allow', { ...LOCAL_OPERATOR, role: 'channel' }))).toBe('FORBIDDEN');
    expect(await code(decide(shown, 'allow', ASSUMED_OPERATOR))).toBe('FORBIDDEN');
    expect(await code(decide(shown, 'allow', aUser('alice')))).toBe('done');
    await reader.waitForEnd('a');
  });

  it('[O-04] is decided once: the first decision stands', async () => {
    const { reader, shown } = await ask();
    await decide(shown, 'deny');
    expect(await code(decide(shown, 'allow'))).toBe('FORBIDDEN');
    await reader.waitForEnd('a');
    const result = reader.frames.find(({ payload }) => payload['block_type'] === 'tool_result');
    expect(JSON.parse(String(result?.payload['content']))).toMatchObject({ status: 'denied', decided_by: 'local' });
    expect(starts).toHaveLength(0);
  });

  it('[O-04] is decided once: a decision that is repeated changes nothing, and is not announced again', async () => {
    const { reader, shown } = await ask();
    const announced: string[] = [];
    harness.approvals.onDecided(({ approvalId }, { decision }) => announced.push(`${approvalId} ${decision}`));
    const repeats = Array.from({ length: 3 }, () => code(decide(shown, 'allow')));
    expect(await Promise.all(repeats)).toEqual(['done', 'done', 'done']);
    expect([await code(decide(shown, 'allow')), await code(decide(shown, 'deny'))]).toEqual(['done', 'FORBIDDEN']);
    await reader.waitForEnd('a');
    expect(announced).toEqual([`${shown.approval_id} allow`]);
    expect(await harness.store.listAudit({ action: 'approval.decide', order: 'oldest', limit: 9 })).toHaveLength(1);
  });

  it('[O-05] expires, and a later decision is refused', async () => {
    const { reader, shown } = await ask({ 'tools.approval_timeout_ms': 1_000 });
    await harness.clock.advanceAsync(1_000);
    await reader.waitForEnd('a');
    expect(statuses(reader).at(-1)).toBe('denied');
    expect(await code(decide(shown, 'allow'))).toBe('FORBIDDEN');
    expect(starts).toHaveLength(0);
  });

  it.each(['time limit', 'cancel'])('[O-05] expires with its turn: %s', async (end) => {
    const { reader, shown } = await ask({ 'agent.turn_timeout_ms': 1_000 });
    const [pending] = await harness.approvals.listPending(LOCAL_OPERATOR);
    if (end === 'cancel') {
      await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef: pending?.messageRef ?? '' });
    } else await harness.clock.advanceAsync(1_000);
    await reader.waitForEnd('a');
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toEqual([]);
    await expect(decide(shown, 'allow')).rejects.toThrow('the turn that waited for the approval has ended');
    expect(starts).toHaveLength(0);
    expect(statuses(reader)).toEqual(['requested', 'awaiting_approval', 'denied']);
    const { messages } = await harness.store.readHistory(pending?.sessionId ?? '', 1);
    const result = messages[0]?.reply?.blocks.find((block) => block.block_type === 'tool_result');
    expect(JSON.parse(result?.content ?? '{}')).toMatchObject({ ok: false, status: 'denied' });
  });

  it('[N-01] expires soon after a sleep of the machine through its time', async () => {
    const { reader } = await ask();
    harness.clock.setWallTime(86_400_000);
    await harness.clock.advanceAsync(10_000);
    await reader.waitForEnd('a');
    expect(statuses(reader).at(-1)).toBe('denied');
  });

  it('[O-06] survives an interruption: the call keeps waiting for the same approval and starts once', async () => {
    const { reader, shown } = await ask();
    await harness.claims.drain(0, AbortSignal.abort());
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toMatchObject([
      { approvalId: shown.approval_id, tool: 'test.pay' },
    ]);
    await decide(shown, 'allow');
    harness.startTurns();
    await reader.waitForEnd('a');
    expect(statuses(reader).at(-1)).toBe('succeeded');
    expect(starts).toHaveLength(1);
  });

  it('[O-07] can be required by the settings, for any tool', async () => {
    harness = await new CoreHarness({ settings: { 'tools.approvals': ['any.tool'] } }).start();
    expect(harness.tools.needsApproval('any.tool')).toBe(true);
    expect(harness.tools.needsApproval('other.tool')).toBe(false);
  });
});
