import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoreHarness } from '../../testing/core-harness.js';
import { FakeReader } from '../../testing/fake-reader.js';
import { aPayload } from '../../testing/factories.js';
import { storeAt } from '../../testing/test-stores.js';
import { AgentsAskTool } from '../../tools/agents-ask.tool.js';
import { LOCAL_OPERATOR, ROLE_SCOPES, type Principal } from '../identity/principal.js';
import { AgentRuntime, type AgentEvent, type AgentTurn, type RequestedCall } from '../turns/agent-runtime.js';

/** The work of one turn: it says something at once, when the test lets it, or after a call. */
type Plan =
  | 'hello'
  | 'held'
  | { readonly pay: number; readonly times?: number }
  | { readonly ask: string; readonly plan: Plan };

/** Counts the turns that work, which a turn does but for its calls. */
class PlannedRuntime extends AgentRuntime {
  override readonly name = 'planned';
  readonly held: PromiseWithResolvers<void>[] = [];
  /** Contents of the messages whose turns have done their work, in order. */
  readonly done: string[] = [];
  peak = 0;
  private working = 0;

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const { content } = turn.message.payload;
    const plan = JSON.parse(content) as Plan;
    let outcome: unknown = plan;
    await this.work();
    if (plan === 'held') {
      const gate = Promise.withResolvers<void>();
      this.held.push(gate);
      await gate.promise;
    } else if (plan !== 'hello') {
      const calls = callsFor(plan);
      if (!turn.recordedAnswer(0)) yield { type: 'answer', answer: { toolCalls: calls } };
      this.working--;
      outcome = await Promise.all(calls.map((call, i) => turn.callTool(0, i, call)));
      if (turn.signal.aborted) return;
      await this.work();
    }
    this.done.push(content);
    yield { type: 'piece', piece: { blockType: 'text', text: JSON.stringify(outcome), ends: true } };
    this.working--;
  }

  private async work(): Promise<void> {
    this.peak = Math.max(this.peak, ++this.working);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function callsFor(plan: Exclude<Plan, string>): readonly RequestedCall[] {
  if ('pay' in plan) return Array.from({ length: plan.times ?? 1 }, () => ({ tool: 'test.pay', parameters: plan }));
  return [{ tool: 'agents.ask', parameters: { agent: plan.ask, message: JSON.stringify(plan.plan) } }];
}

interface Shown {
  readonly approval_id: string;
  readonly arguments_sha256: string;
}

const paid: string[] = [];
let folder: string;
let life: { harness: CoreHarness; runtime: PlannedRuntime };
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'questions-'))));
afterEach(async () => {
  await life.harness.stop();
  rmSync(folder, { recursive: true });
  paid.length = 0;
});

/** Opens the store of this test, for the first time or after a crash. */
async function open(settings: Record<string, unknown> = {}, { starts = true } = {}): Promise<CoreHarness> {
  const runtime = new PlannedRuntime();
  const harness = new CoreHarness({
    store: storeAt(`sqlite:${join(folder, 'gateway.db')}`),
    settings: {
      'agent.concurrency': 1,
      'tools.default_permissions': ['agents'],
      agents: { ops: {}, cid: {} },
      ...settings,
    },
    runtime: () => runtime,
  });
  const base = { description: 'For tests.', parameters: {}, timeoutMs: 1_000_000, sandbox: false };
  const ask = new AgentsAskTool(harness.agents, harness.questions, harness.tools);
  const handler = (parameters: unknown, context: Parameters<typeof ask.execute>[1]) =>
    ask.execute(parameters as never, context);
  const [free, held] = [{ requiresApproval: false }, { requiresApproval: true }];
  harness.tools.register({
    ...base,
    ...free,
    name: 'agents.ask',
    permissions: ['agents'],
    idempotent: true,
    isWaiting: true,
    handler,
  });
  const pay = (_parameters: unknown, { callId }: { callId: string }) => void paid.push(callId);
  harness.tools.register({ ...base, ...held, name: 'test.pay', permissions: [], idempotent: false, handler: pay });
  life = { harness, runtime };
  if (starts) await harness.start();
  else await harness.store.open();
  return harness;
}

const say = (reader: FakeReader, sender: string, plan: Plan) =>
  life.harness.say(reader, sender, '', { payload: aPayload({ sender, content: JSON.stringify(plan) }) });
const NESTED: Plan = { ask: 'ops', plan: { ask: 'cid', plan: { pay: 5 } } };

async function untilShown(reader: FakeReader): Promise<Shown> {
  const frame = await reader.waitFor(({ payload }) => payload['status'] === 'awaiting_approval');
  return frame.payload['approval'] as Shown;
}
const decide = (shown: Shown, decision: 'allow' | 'deny', by: Principal = LOCAL_OPERATOR) =>
  life.harness.approvals.decide(by, shown.approval_id, decision, shown.arguments_sha256).then(
    () => 'done',
    ({ code }: { code: string }) => code,
  );
const callsOf = (reader: FakeReader, tool: string) =>
  reader.frames
    .filter(({ type, payload }) => type === 'tool_status' && payload['tool'] === tool)
    .map(({ payload }) => payload);
const stateOf = async (sessionId: string) =>
  (await life.harness.store.readHistory(sessionId, 9)).messages.map(({ status }) => status);
const pairOf = (sessionId: string, agent: string) =>
  life.harness.questions.sessionOf({ id: sessionId, tenant: 'default' } as never, life.harness.agents.get(agent)).id;
const aUser = (sender: string): Principal => ({
  tenant: 'default',
  principal: sender,
  role: 'user',
  scopes: new Set(ROLE_SCOPES.user),
  channels: ['test'],
  sender,
});

describe('an approval that an asked agent needs', () => {
  it('[Z-31] is shown in the session of the person, through nested questions, and decided by its participants', async () => {
    const harness = await open();
    const reader = new FakeReader();
    const { sessionId, messageRef } = await say(reader, 'ann', NESTED);
    const shown = await untilShown(reader);
    expect(callsOf(reader, 'test.pay')).toMatchObject([
      { message_id: 'ann', message_ref: messageRef, agent: 'cid', approval: { arguments: { pay: 5 } } },
    ]);
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toMatchObject([{ sessionId, messageRef }]);
    expect(await decide(shown, 'allow', aUser('bob'))).toBe('NOT_FOUND');
    expect(await decide(shown, 'allow', { ...LOCAL_OPERATOR, tenant: 'acme' })).toBe('NOT_FOUND');
    expect(await decide(shown, 'allow', { ...LOCAL_OPERATOR, role: 'channel' })).toBe('FORBIDDEN');
    expect(await decide({ ...shown, arguments_sha256: '0'.repeat(64) }, 'allow', aUser('ann'))).toBe('FORBIDDEN');
    expect(paid).toEqual([]);
    expect(await decide(shown, 'allow', aUser('ann'))).toBe('done');
    await reader.waitForEnd('ann');
    expect(paid).toHaveLength(1);
    expect(callsOf(reader, 'test.pay').map(({ agent, status }) => [agent, status])).toEqual([
      ['cid', 'awaiting_approval'],
      ['cid', 'running'],
      ['cid', 'succeeded'],
    ]);
  });

  it('[Z-31] is shown as denied with who denied it, and the asking agent gets that as the answer', async () => {
    await open();
    const reader = new FakeReader();
    await say(reader, 'ann', NESTED);
    await decide(await untilShown(reader), 'deny', aUser('ann'));
    expect((await reader.waitForEnd('ann')).payload['reason']).toBe('stop');
    expect(callsOf(reader, 'test.pay').at(-1)).toMatchObject({ status: 'denied', decided_by: 'ann', agent: 'cid' });
    expect(reader.blocksOf('ann').at(-1)?.content).toContain('a person denied it');
    expect(paid).toEqual([]);
  });

  it('[Z-31] expires, and the agents go on', async () => {
    const harness = await open({ 'tools.approval_timeout_ms': 1_000 });
    const reader = new FakeReader();
    await say(reader, 'ann', NESTED);
    const shown = await untilShown(reader);
    await harness.clock.advanceAsync(1_000);
    expect((await reader.waitForEnd('ann')).payload['reason']).toBe('stop');
    expect(callsOf(reader, 'test.pay').at(-1)).toMatchObject({ status: 'denied' });
    expect(await decide(shown, 'allow')).toBe('FORBIDDEN');
    expect(paid).toEqual([]);
  });

  it('[Z-31] expires with the asking turn when that is cancelled', async () => {
    const harness = await open();
    const reader = new FakeReader();
    const { sessionId, messageRef } = await say(reader, 'ann', NESTED);
    const shown = await untilShown(reader);
    await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    expect((await reader.waitForEnd('ann')).payload['reason']).toBe('cancelled');
    const asked = pairOf(sessionId, 'ops');
    await expect.poll(() => stateOf(pairOf(asked, 'cid'))).toEqual(['cancelled']);
    await expect.poll(() => stateOf(asked)).toEqual(['cancelled']);
    expect(callsOf(reader, 'test.pay').map(({ agent, status }) => [agent, status])).toEqual([
      ['cid', 'awaiting_approval'],
      ['cid', 'denied'],
    ]);
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toEqual([]);
    expect(await decide(shown, 'allow')).toBe('FORBIDDEN');
    expect(paid).toEqual([]);
  });

  it('[Z-31] is no longer shown as open when the asked turn ends alone', async () => {
    const harness = await open();
    const reader = new FakeReader();
    const { sessionId } = await say(reader, 'ann', { ask: 'ops', plan: { pay: 5 } });
    await untilShown(reader);
    await harness.queue.cancel({ by: 'session', tenant: 'default', sessionId: pairOf(sessionId, 'ops') });
    expect((await reader.waitForEnd('ann')).payload['reason']).toBe('stop');
    expect(callsOf(reader, 'test.pay').at(-1)).toMatchObject({ status: 'denied', agent: 'ops' });
    expect(reader.blocksOf('ann').at(-1)?.content).toContain('gave no answer');
  });
});

describe('a crash while an asked agent waits for an approval', () => {
  it.each(['crash', 'stop'] as const)(
    '[Z-31] keeps the same approval, which starts the call once (%s)',
    async (how) => {
      const first = await open();
      const before = new FakeReader();
      const { sessionId } = await say(before, 'ann', NESTED);
      const shown = await untilShown(before);
      await first[how]();

      const second = await open({}, { starts: false });
      const reader = new FakeReader();
      second.delivery.subscribe(reader, sessionId, (await second.store.readHistory(sessionId, 1)).headSeq);
      second.startTurns();
      expect(await untilShown(reader)).toEqual(shown);
      expect(await decide(shown, 'allow', aUser('ann'))).toBe('done');
      await reader.waitForEnd('ann');
      expect(callsOf(reader, 'test.pay').at(-1)).toMatchObject({ status: 'succeeded' });
      expect(paid).toHaveLength(1);
      expect(life.runtime.peak).toBe(1);
    },
  );

  it.each<[string, Plan]>([
    ['a call', { pay: 5 }],
    ['nested questions', NESTED],
  ])('[L-04] [Z-31] a drain puts %s aside at once, with the approval open', async (_what, plan) => {
    const harness = await open();
    const reader = new FakeReader();
    await say(reader, 'ann', plan);
    const shown = await untilShown(reader);
    await harness.claims.drain(30_000, new AbortController().signal);
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toHaveLength(1);
    harness.startTurns();
    expect(await decide(shown, 'allow', aUser('ann'))).toBe('done');
    await reader.waitForEnd('ann');
    expect(callsOf(reader, 'test.pay').map(({ status }) => status)).not.toContain('denied');
    expect(paid).toHaveLength(1);
  });

  it('[Z-31] keeps a decision that was made before the turns ran again', async () => {
    await open();
    const before = new FakeReader();
    const { sessionId } = await say(before, 'ann', NESTED);
    const shown = await untilShown(before);
    await life.harness.crash();
    await open({}, { starts: false });
    expect(await decide(shown, 'allow')).toBe('done');
    life.harness.startTurns();
    await expect.poll(() => stateOf(sessionId)).toEqual(['done']);
    expect(paid).toHaveLength(1);
  });

  it('[Z-31] keeps who denied a call', async () => {
    await open();
    const before = new FakeReader();
    const { sessionId } = await say(before, 'ann', { ask: 'ops', plan: { pay: 5, times: 2 } });
    await expect.poll(() => callsOf(before, 'test.pay').length).toBe(2);
    await decide(callsOf(before, 'test.pay')[0]!['approval'] as Shown, 'deny', aUser('ann'));
    await before.waitFor(({ payload }) => payload['status'] === 'denied');
    await life.harness.crash();
    const { store, delivery } = await open({}, { starts: false });
    const reader = new FakeReader();
    delivery.subscribe(reader, sessionId, (await store.readHistory(sessionId, 1)).headSeq);
    life.harness.startTurns();
    const denied = await reader.waitFor(({ payload }) => payload['status'] === 'denied');
    expect(denied.payload).toMatchObject({ tool: 'test.pay', agent: 'ops', decided_by: 'ann' });
  });

  it('[Z-31] shows each of its approvals when the asked turn runs before the asking one', async () => {
    await open();
    const plan: Plan = { ask: 'ops', plan: { pay: 5, times: 2 } };
    const { sessionId, messageRef } = await say(new FakeReader(), 'ann', plan);
    await expect.poll(() => life.harness.approvals.listPending(LOCAL_OPERATOR)).toHaveLength(2);
    await life.harness.crash();
    const { store, claims, delivery } = await open({}, { starts: false });
    const reader = new FakeReader();
    delivery.subscribe(reader, sessionId, (await store.readHistory(sessionId, 1)).headSeq);
    const { claims: held } = await store.claim({ replicaId: 'another', limit: 1, leaseMs: 5_000, sessionId });
    expect(held.map(({ message }) => message.messageRef)).toEqual([messageRef]);
    life.harness.startTurns();
    await expect.poll(() => stateOf(pairOf(sessionId, 'ops'))).toEqual(['running']);
    expect(reader.frames).toEqual([]);
    await store.release(held[0]!.lease);
    claims.wake();
    await expect.poll(() => callsOf(reader, 'test.pay').length).toBe(2);
    for (const { approval } of callsOf(reader, 'test.pay'))
      expect(await decide(approval as Shown, 'allow')).toBe('done');
    await reader.waitForEnd('ann');
    expect(paid).toHaveLength(2);
  });

  it.each([
    ['is cancelled', 'cancelled', {}],
    ['has been interrupted too often', 'failed', { 'agent.max_attempts': 1 }],
  ])('[Z-20] leaves no question behind when the asking turn %s', async (_, state, settings) => {
    await open();
    const { sessionId, messageRef } = await say(new FakeReader(), 'ann', { ask: 'ops', plan: { pay: 5 } });
    await expect.poll(() => life.harness.approvals.listPending(LOCAL_OPERATOR)).toHaveLength(1);
    const [approval] = await life.harness.approvals.listPending(LOCAL_OPERATOR);
    await life.harness.crash();
    const { queue } = await open(settings, { starts: false });
    if (state === 'cancelled') await queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    life.harness.startTurns();
    await expect.poll(() => stateOf(sessionId)).toEqual([state]);
    await expect.poll(() => stateOf(pairOf(sessionId, 'ops'))).toEqual([expect.stringMatching(/cancelled|failed/)]);
    expect(
      await decide({ approval_id: approval!.approvalId, arguments_sha256: approval!.argumentsSha256 }, 'allow'),
    ).toBe('FORBIDDEN');
    expect(paid).toEqual([]);
  });
});

describe('a place of agent.concurrency', () => {
  it('[Z-32] is free for others while nested questions wait for a person, and is taken again', async () => {
    await open();
    const [ann, bob] = [new FakeReader(), new FakeReader()];
    await say(ann, 'ann', NESTED);
    const shown = await untilShown(ann);
    await say(bob, 'bob', 'hello');
    await bob.waitForEnd('bob');
    await say(bob, 'cleo', 'held');
    await expect.poll(() => life.runtime.held.length).toBe(1);
    await decide(shown, 'allow');
    await say(bob, 'dora', 'hello');
    await life.harness.clock.advanceAsync(1_000);
    expect([paid.length, life.runtime.done]).toEqual([0, ['"hello"']]);
    life.runtime.held[0]!.resolve();
    await Promise.all([ann.waitForEnd('ann'), bob.waitForEnd('dora')]);
    expect([paid.length, life.runtime.done.length, life.runtime.peak]).toEqual([1, 6, 1]);
  });

  it('[Z-32] is given to those that return in the order of the decisions, before new messages', async () => {
    await open();
    const [ann, bob, others] = [new FakeReader(), new FakeReader(), new FakeReader()];
    await say(ann, 'ann', { pay: 1 });
    const first = await untilShown(ann);
    await say(bob, 'bob', { pay: 2 });
    const second = await untilShown(bob);
    await say(others, 'cleo', 'hello');
    await others.waitForEnd('cleo');
    await say(others, 'dora', 'held');
    await say(others, 'eve', 'hello');
    await expect.poll(() => life.runtime.held.length).toBe(1);
    await decide(second, 'deny');
    await decide(first, 'allow');
    life.runtime.held[0]!.resolve();
    await others.waitForEnd('eve');
    expect(life.runtime.done).toEqual(['"hello"', '"held"', '{"pay":2}', '{"pay":1}', '"hello"']);
    expect([paid.length, life.runtime.peak]).toEqual([1, 1]);
  });

  it('[Z-32] is taken again before the asking turn goes on, also when the asked one ends without a decision', async () => {
    const harness = await open();
    const [ann, bob] = [new FakeReader(), new FakeReader()];
    const { sessionId } = await say(ann, 'ann', { ask: 'ops', plan: { pay: 5 } });
    await untilShown(ann);
    await say(bob, 'bob', 'held');
    await expect.poll(() => life.runtime.held.length).toBe(1);
    await harness.queue.cancel({ by: 'session', tenant: 'default', sessionId: pairOf(sessionId, 'ops') });
    await expect.poll(() => stateOf(pairOf(sessionId, 'ops'))).toEqual(['cancelled']);
    expect(life.runtime.done).toEqual([]);
    life.runtime.held[0]!.resolve();
    await ann.waitForEnd('ann');
    expect([life.runtime.done.length, life.runtime.peak]).toEqual([2, 1]);
  });

  it('[Z-32] is not needed to end a turn that is cancelled while it waits for one', async () => {
    const harness = await open();
    const [ann, bob] = [new FakeReader(), new FakeReader()];
    const { messageRef } = await say(ann, 'ann', { pay: 5 });
    const shown = await untilShown(ann);
    await say(bob, 'bob', 'held');
    await expect.poll(() => life.runtime.held.length).toBe(1);
    await decide(shown, 'allow');
    await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    expect((await ann.waitForEnd('ann')).payload['reason']).toBe('cancelled');
    life.runtime.held[0]!.resolve();
    await bob.waitForEnd('bob');
    expect([paid.length, life.runtime.peak]).toEqual([0, 1]);
  });
});
