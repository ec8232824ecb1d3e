import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aUser } from '../../testing/factories.js';
import { FakeReader } from '../../testing/fake-reader.js';
import {
  callsOf,
  NESTED,
  PlannedGateway,
  untilShown,
  type Plan,
  type ShownApproval,
} from '../../testing/planned-gateway.js';
import { GatewayError } from '../../protocol/domain.js';
import { LOCAL_OPERATOR } from '../identity/principal.js';

let gateway: PlannedGateway;
beforeEach(() => void (gateway = new PlannedGateway()));
afterEach(() => gateway.end());

describe('an approval that an asked agent needs', () => {
  it('[Z-31] is shown in the session of the person, through nested questions, and decided by its participants', async () => {
    const harness = await gateway.open();
    const reader = new FakeReader();
    const { sessionId, messageRef } = await gateway.say(reader, 'ann', NESTED);
    const shown = await untilShown(reader);
    expect(callsOf(reader, 'test.pay')).toMatchObject([
      { message_id: 'ann', message_ref: messageRef, agent: 'cid', approval: { arguments: { pay: 5 } } },
    ]);
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toMatchObject([{ sessionId, messageRef }]);
    expect(await gateway.decide(shown, 'allow', aUser('bob'))).toBe('NOT_FOUND');
    expect(await gateway.decide(shown, 'allow', { ...LOCAL_OPERATOR, tenant: 'acme' })).toBe('NOT_FOUND');
    expect(await gateway.decide(shown, 'allow', { ...LOCAL_OPERATOR, role: 'channel' })).toBe('FORBIDDEN');
    expect(await gateway.decide({ ...shown, arguments_sha256: '0'.repeat(64) }, 'allow', aUser('ann'))).toBe(
      'FORBIDDEN',
    );
    expect(gateway.paid).toEqual([]);
    expect(await gateway.decide(shown, 'allow', aUser('ann'))).toBe('done');
    await reader.waitForEnd('ann');
    expect(gateway.paid).toHaveLength(1);
    expect(callsOf(reader, 'test.pay').map(({ agent, status }) => [agent, status])).toEqual([
      ['cid', 'awaiting_approval'],
      ['cid', 'running'],
      ['cid', 'succeeded'],
    ]);
  });

  it('[Z-31] is shown as denied with who denied it, and the asking agent gets that as the answer', async () => {
    await gateway.open();
    const reader = new FakeReader();
    await gateway.say(reader, 'ann', NESTED);
    await gateway.decide(await untilShown(reader), 'deny', aUser('ann'));
    expect((await reader.waitForEnd('ann')).payload['reason']).toBe('stop');
    expect(callsOf(reader, 'test.pay').at(-1)).toMatchObject({ status: 'denied', decided_by: 'ann', agent: 'cid' });
    expect(reader.blocksOf('ann').at(-1)?.content).toContain('a person denied it');
    expect(gateway.paid).toEqual([]);
  });

  it('[Z-31] expires, and the agents go on', async () => {
    const harness = await gateway.open({ 'tools.approval_timeout_ms': 1_000 });
    const reader = new FakeReader();
    await gateway.say(reader, 'ann', NESTED);
    const shown = await untilShown(reader);
    await harness.clock.advanceAsync(1_000);
    expect((await reader.waitForEnd('ann')).payload['reason']).toBe('stop');
    expect(callsOf(reader, 'test.pay').at(-1)).toMatchObject({ status: 'denied' });
    expect(await gateway.decide(shown, 'allow')).toBe('FORBIDDEN');
    expect(gateway.paid).toEqual([]);
  });

  it('[Z-31] expires with the asking turn when that is cancelled', async () => {
    const harness = await gateway.open();
    const reader = new FakeReader();
    const { sessionId, messageRef } = await gateway.say(reader, 'ann', NESTED);
    const shown = await untilShown(reader);
    await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    expect((await reader.waitForEnd('ann')).payload['reason']).toBe('cancelled');
    const asked = gateway.askedBy(sessionId, 'ops');
    await expect.poll(() => gateway.statesOf(gateway.askedBy(asked, 'cid'))).toEqual(['cancelled']);
    await expect.poll(() => gateway.statesOf(asked)).toEqual(['cancelled']);
    expect(callsOf(reader, 'test.pay').map(({ agent, status }) => [agent, status])).toEqual([
      ['cid', 'awaiting_approval'],
      ['cid', 'denied'],
    ]);
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toEqual([]);
    expect(await gateway.decide(shown, 'allow')).toBe('FORBIDDEN');
    expect(gateway.paid).toEqual([]);
  });

  it('[Z-31] is no longer shown as open when the asked turn ends alone', async () => {
    const harness = await gateway.open();
    const reader = new FakeReader();
    const { sessionId } = await gateway.say(reader, 'ann', { ask: 'ops', plan: { pay: 5 } });
    await untilShown(reader);
    await harness.queue.cancel({ by: 'session', tenant: 'default', sessionId: gateway.askedBy(sessionId, 'ops') });
    expect((await reader.waitForEnd('ann')).payload['reason']).toBe('stop');
    expect(callsOf(reader, 'test.pay').at(-1)).toMatchObject({ status: 'denied', agent: 'ops' });
    expect(reader.blocksOf('ann').at(-1)?.content).toContain('gave no answer');
  });
});

describe('a crash while an asked agent waits for an approval', () => {
  it.each(['crash', 'stop'] as const)(
    '[Z-31] keeps the same approval, which starts the call once (%s)',
    async (how) => {
      const first = await gateway.open();
      const before = new FakeReader();
      const { sessionId } = await gateway.say(before, 'ann', NESTED);
      const shown = await untilShown(before);
      await first[how]();

      const second = await gateway.open({}, { starts: false });
      const reader = new FakeReader();
      second.delivery.subscribe(reader, sessionId, (await second.store.readHistory(sessionId, 1)).headSeq);
      second.startTurns();
      expect(await untilShown(reader)).toEqual(shown);
      expect(await gateway.decide(shown, 'allow', aUser('ann'))).toBe('done');
      await reader.waitForEnd('ann');
      expect(callsOf(reader, 'test.pay').at(-1)).toMatchObject({ status: 'succeeded' });
      expect(gateway.paid).toHaveLength(1);
      expect(gateway.runtime.peak).toBe(1);
    },
  );

  it.each<[string, Plan]>([
    ['a call', { pay: 5 }],
    ['nested questions', NESTED],
  ])('[L-04] [Z-31] a drain puts %s aside at once, with the approval open', async (_what, plan) => {
    const harness = await gateway.open();
    const reader = new FakeReader();
    await gateway.say(reader, 'ann', plan);
    const shown = await untilShown(reader);
    await harness.claims.drain(30_000, new AbortController().signal);
    expect(await harness.approvals.listPending(LOCAL_OPERATOR)).toHaveLength(1);
    harness.startTurns();
    expect(await gateway.decide(shown, 'allow', aUser('ann'))).toBe('done');
    await reader.waitForEnd('ann');
    expect(callsOf(reader, 'test.pay').map(({ status }) => status)).not.toContain('denied');
    expect(gateway.paid).toHaveLength(1);
  });

  it('[Z-31] keeps a decision that was made before the turns ran again', async () => {
    await gateway.open();
    const before = new FakeReader();
    const { sessionId } = await gateway.say(before, 'ann', NESTED);
    const shown = await untilShown(before);
    await gateway.harness.crash();
    await gateway.open({}, { starts: false });
    expect(await gateway.decide(shown, 'allow')).toBe('done');
    gateway.harness.startTurns();
    await expect.poll(() => gateway.statesOf(sessionId)).toEqual(['done']);
    expect(gateway.paid).toHaveLength(1);
  });

  it('[Z-31] keeps who denied a call', async () => {
    await gateway.open();
    const before = new FakeReader();
    const { sessionId } = await gateway.say(before, 'ann', { ask: 'ops', plan: { pay: 5, times: 2 } });
    await expect.poll(() => callsOf(before, 'test.pay').length).toBe(2);
    await gateway.decide(callsOf(before, 'test.pay')[0]!['approval'] as ShownApproval, 'deny', aUser('ann'));
    await before.waitFor(({ payload }) => payload['status'] === 'denied');
    await gateway.harness.crash();
    const { store, delivery } = await gateway.open({}, { starts: false });
    const reader = new FakeReader();
    delivery.subscribe(reader, sessionId, (await store.readHistory(sessionId, 1)).headSeq);
    gateway.harness.startTurns();
    const denied = await reader.waitFor(({ payload }) => payload['status'] === 'denied');
    expect(denied.payload).toMatchObject({ tool: 'test.pay', agent: 'ops', decided_by: 'ann' });
  });

  it('[Z-31] shows each of its approvals when the asked turn runs before the asking one', async () => {
    await gateway.open();
    const plan: Plan = { ask: 'ops', plan: { pay: 5, times: 2 } };
    const { sessionId, messageRef } = await gateway.say(new FakeReader(), 'ann', plan);
    await expect.poll(() => gateway.harness.approvals.listPending(LOCAL_OPERATOR)).toHaveLength(2);
    await gateway.harness.crash();
    const { store, claims, delivery } = await gateway.open({}, { starts: false });
    const reader = new FakeReader();
    delivery.subscribe(reader, sessionId, (await store.readHistory(sessionId, 1)).headSeq);
    const { claims: held } = await store.claim({ replicaId: 'another', limit: 1, leaseMs: 5_000, sessionId });
    expect(held.map(({ message }) => message.messageRef)).toEqual([messageRef]);
    gateway.harness.startTurns();
    await expect.poll(() => gateway.statesOf(gateway.askedBy(sessionId, 'ops'))).toEqual(['running']);
    expect(reader.frames).toEqual([]);
    await store.release(held[0]!.lease);
    claims.wake();
    await expect.poll(() => callsOf(reader, 'test.pay').length).toBe(2);
    for (const { approval } of callsOf(reader, 'test.pay'))
      expect(await gateway.decide(approval as ShownApproval, 'allow')).toBe('done');
    await reader.waitForEnd('ann');
    expect(gateway.paid).toHaveLength(2);
  });

  it('[Z-20] leaves no question behind when the asking turn was cancelled meanwhile', async () => {
    await gateway.open();
    const { sessionId, messageRef } = await gateway.say(new FakeReader(), 'ann', { ask: 'ops', plan: { pay: 5 } });
    await expect.poll(() => gateway.harness.approvals.listPending(LOCAL_OPERATOR)).toHaveLength(1);
    const [approval] = await gateway.harness.approvals.listPending(LOCAL_OPERATOR);
    await gateway.harness.crash();
    const { queue } = await gateway.open({}, { starts: false });
    await queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    gateway.harness.startTurns();
    await expect.poll(() => gateway.statesOf(sessionId)).toEqual(['cancelled']);
    await expect
      .poll(() => gateway.statesOf(gateway.askedBy(sessionId, 'ops')))
      .toEqual([expect.stringMatching(/cancelled|failed/)]);
    expect(
      await gateway.decide({ approval_id: approval!.approvalId, arguments_sha256: approval!.argumentsSha256 }, 'allow'),
    ).toBe('FORBIDDEN');
    expect(gateway.paid).toEqual([]);
  });
});

it('[Z-20] a crash while an asked agent works leaves no question behind when it interrupts the asking turn too often', async () => {
  await gateway.open();
  const { sessionId } = await gateway.say(new FakeReader(), 'ann', { ask: 'ops', plan: 'held' });
  await expect.poll(() => gateway.runtime.held).toHaveLength(1);
  await gateway.harness.crash();
  await gateway.open({ 'agent.max_attempts': 1 });
  await expect.poll(() => gateway.statesOf(sessionId)).toEqual(['failed']);
  await expect
    .poll(() => gateway.statesOf(gateway.askedBy(sessionId, 'ops')))
    .toEqual([expect.stringMatching(/cancelled|failed/)]);
});

describe('an approval that an asked agent needs, when its turn runs again', () => {
  it('[Z-31] stays open after the lease was lost, and is never shown as denied', async () => {
    const harness = await gateway.open();
    const { store, clock, claims } = harness;
    const reader = new FakeReader();
    await gateway.say(reader, 'ann', NESTED);
    const shown = await untilShown(reader);
    const renew = store.renew.bind(store);
    store.renew = async (leases) => {
      store.renew = renew;
      for (const lease of leases) await store.release(lease);
      return { lost: leases, cancelRequested: [] };
    };
    await clock.advanceAsync(4_000);
    claims.wake();
    await expect.poll(() => callsOf(reader, 'test.pay').length).toBe(2);
    expect(await gateway.decide(shown, 'allow')).toBe('done');
    await reader.waitForEnd('ann');
    expect(callsOf(reader, 'test.pay').map(({ status }) => status)).not.toContain('denied');
    expect(gateway.paid).toHaveLength(1);
  });

  it('[Z-31] stays open while the store is unavailable, and is never shown as denied', async () => {
    const harness = await gateway.open();
    const { store } = harness;
    const request = harness.approvals.request.bind(harness.approvals);
    const read = store.readHistory.bind(store);
    const unavailable = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', {}));
    let requests = 0;
    harness.approvals.request = (...call) => {
      if (++requests !== 2) return request(...call);
      store.readHistory = unavailable;
      return unavailable();
    };
    const reader = new FakeReader();
    await gateway.say(reader, 'ann', { ask: 'ops', plan: { pay: 5, times: 2 } });
    await untilShown(reader);
    await expect.poll(() => store.readHistory).toBe(unavailable);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    store.readHistory = read;
    await harness.clock.advanceAsync(2_000);
    const opened = () =>
      callsOf(reader, 'test.pay').flatMap(({ call_id: id, approval }) => (approval ? [[id, approval] as const] : []));
    await expect.poll(() => new Map(opened()).size).toBe(2);
    for (const approval of new Map(opened()).values())
      expect(await gateway.decide(approval as ShownApproval, 'allow')).toBe('done');
    await reader.waitForEnd('ann');
    expect(callsOf(reader, 'test.pay').map(({ status }) => status)).not.toContain('denied');
    expect(gateway.paid).toHaveLength(2);
  });
});
