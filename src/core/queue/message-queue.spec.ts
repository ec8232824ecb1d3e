import { afterEach, describe, expect, it } from 'vitest';
import { CoreHarness, type CoreHarnessOptions } from '../../testing/core-harness.js';
import { aMessage, aPayload, aSession, GENEROUS_LIMITS } from '../../testing/factories.js';
import { FakeReader, type SeenFrame } from '../../testing/fake-reader.js';
import { TEST_STORES } from '../../testing/test-stores.js';
import type { Claim, Lease } from '../store/index.js';
import { GatewayError } from '../../protocol/domain.js';

let harness: CoreHarness;
afterEach(() => harness.stop());
const start = async (options: CoreHarnessOptions = {}) => (harness = await new CoreHarness(options).start());

const endsOf = (reader: FakeReader) => reader.frames.filter((frame) => frame.type === 'stream_end');
const ids = (frames: readonly SeenFrame[]) => frames.map((frame) => frame.payload['id']);

describe('the message queue', () => {
  it('[C-01] runs the highest priority first, then first in first out, and never pre-empts', async () => {
    await start();
    const reader = new FakeReader();
    const send = (id: string, priority: 1 | 5 | 10, content = '/blocks 1') =>
      harness.say(reader, id, content, { priority });
    await send('running', 1, '/blocks 2 1000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    const positions = [];
    for (const [id, priority] of [
      ['a', 1],
      ['b', 5],
      ['c', 10],
      ['d', 10],
      ['e', 5],
      ['f', 1],
    ] as const) {
      positions.push((await send(id, priority)).position);
    }
    await harness.clock.advanceAsync(1_000);
    await reader.waitForEnd('f');
    expect(positions).toEqual([0, 0, 0, 1, 3, 5]);
    expect(ids(endsOf(reader))).toEqual(['running', 'c', 'd', 'b', 'e', 'a', 'f']);
  });

  it('[C-02] runs one turn at a time in a session, and sessions in parallel', async () => {
    await start();
    const [ann, bob] = [new FakeReader(), new FakeReader()];
    await harness.say(ann, 'a1', '/blocks 2 1000', { session: aSession('ann') });
    await harness.say(ann, 'a2', '/blocks 1', { session: aSession('ann') });
    await harness.say(bob, 'b1', '/blocks 1', { session: aSession('bob') });
    await bob.waitForEnd('b1');
    expect(ids(endsOf(ann))).toEqual([]);
    await harness.clock.advanceAsync(1_000);
    await ann.waitForEnd('a2');
    expect(ids(endsOf(ann))).toEqual(['a1', 'a2']);
  });

  it('[C-02] claims a message that need not wait in the commit that accepts it', async () => {
    await start();
    await harness.say(new FakeReader(), 'a', '/wait 1000');
    expect(await harness.store.countQueue(0)).toMatchObject({ queued: 0, running: 1 });
    await harness.clock.advanceAsync(1_000);
  });

  it('[C-02] runs no more turns than agent.concurrency allows', async () => {
    await start({ settings: { 'agent.concurrency': 2 } });
    const readers = ['a', 'b', 'c'].map(() => new FakeReader());
    for (const [i, reader] of readers.entries())
      await harness.say(reader, `m${i}`, '/blocks 2 1000', { session: aSession(`${i}`) });
    await Promise.all(readers.slice(0, 2).map((reader) => reader.waitFor((frame) => frame.type === 'stream_block')));
    expect((await harness.store.countQueue(0)).running).toBe(2);
    await harness.clock.advanceAsync(1_000);
    await readers[2]?.waitFor((frame) => frame.type === 'stream_block');
    await harness.clock.advanceAsync(1_000);
    await readers[2]?.waitForEnd('m2');
  });

  it('[M-04] answers a repeat as a duplicate and makes no second turn', async () => {
    await start();
    const reader = new FakeReader();
    const first = await harness.say(reader, 'a', '/blocks 1');
    const [again, atOnce] = await Promise.all([
      harness.say(reader, 'a', '/blocks 1'),
      harness.say(reader, 'a', '/blocks 1'),
    ]);
    await reader.waitForEnd('a');
    await harness.say(reader, 'b', '/blocks 1');
    await reader.waitForEnd('b');
    expect([first.kind, again.kind, atOnce.kind]).toEqual(['accepted', 'duplicate', 'duplicate']);
    expect(again.messageRef).toBe(first.messageRef);
    expect(ids(endsOf(reader))).toEqual(['a', 'b']);
  });

  it('[M-05] refuses another body under the same id', async () => {
    await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'one');
    await expect(harness.say(reader, 'a', 'two')).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('[C-05] refuses a message over a limit and does not store it', async () => {
    await start({ settings: { 'queue.max_per_session': 2 } });
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 2 1000');
    await harness.say(reader, 'b', '/blocks 1');
    const refused = harness.say(reader, 'c', '/blocks 1');
    await expect(refused).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      details: { limit: 'queue.max_per_session', allowed: 2 },
    });
    await reader.waitFor((frame) => frame.type === 'stream_block');
    await harness.clock.advanceAsync(1_000);
    await reader.waitForEnd('b');
    expect((await harness.say(reader, 'c', '/blocks 1')).kind).toBe('accepted');
  });

  it('counts messages by outcome, and the needed commits', async () => {
    await start({ settings: { 'queue.max_per_session': 1 } });
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 2 1000');
    await harness.say(reader, 'a', '/blocks 2 1000');
    await expect(harness.say(reader, 'a', 'other')).rejects.toThrow('a');
    await expect(harness.say(reader, 'b', '/blocks 1')).rejects.toThrow('queue');
    const outcomes = ['queued', 'observed', 'duplicate', 'conflict', 'full'];
    const read = (outcome: string) => harness.metrics.read('openclaw_messages_total', { outcome });
    expect(outcomes.map(read)).toEqual([1, 0, 1, 1, 1]);
    const commits = harness.metrics.read('openclaw_store_commits_total', { outcome: 'ok' });
    expect(commits).toBeGreaterThan(0);
    expect(harness.metrics.readObserved('openclaw_store_commit_seconds')).toHaveLength(commits);
  });

  it('[C-03] cancels waiting messages at once, each with its end', async () => {
    await start();
    const reader = new FakeReader();
    const { sessionId } = await harness.say(reader, 'a', '/blocks 2 1000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    await harness.say(reader, 'b', '/blocks 1');
    await harness.say(reader, 'c', '/blocks 1');
    await harness.queue.cancel({ by: 'session', tenant: 'default', sessionId });
    await Promise.all(['a', 'b', 'c'].map((id) => reader.waitForEnd(id)));
    expect(endsOf(reader).map((frame) => frame.payload['reason'])).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect((await harness.store.countQueue(0)).queued).toBe(0);
  });

  it('[C-03] does nothing for a finished message and finds no unknown one', async () => {
    await start();
    const reader = new FakeReader();
    const { messageRef } = await harness.say(reader, 'a', '/blocks 1');
    await reader.waitForEnd('a');
    expect(await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef })).toEqual({
      ended: [],
      running: [],
    });
    expect(await harness.queue.cancel({ by: 'ref', tenant: 'other', messageRef })).toBeUndefined();
    expect(await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef: 'm_nothing' })).toBeUndefined();
  });

  it('[C-07] with busy_policy interrupt a new message cancels the running turn, but never in a queue session', async () => {
    await start({ settings: { 'queue.busy_policy': 'interrupt' } });
    const [main, jobs] = [new FakeReader(), new FakeReader()];
    const queue = {
      session: aSession('jobs', { mode: 'queue' }),
      payload: aPayload({ queue: 'jobs', content: '/blocks 2 1000' }),
    } as const;
    await harness.say(main, 'a', '/blocks 2 1000');
    await harness.say(jobs, 'j1', '', queue);
    await Promise.all([main, jobs].map((reader) => reader.waitFor((frame) => frame.type === 'stream_block')));
    await harness.say(main, 'b', '/blocks 1');
    await harness.say(jobs, 'j2', '', queue);
    await main.waitForEnd('b');
    expect(endsOf(main).map((frame) => frame.payload['reason'])).toEqual(['cancelled', 'stop']);
    expect(endsOf(jobs)).toHaveLength(0);
  });

  it('[C-07] the policy of a channel takes precedence over the general one', async () => {
    await start({ settings: { channels: { test: { busy_policy: 'interrupt' } } } });
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 2 1000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    await harness.say(reader, 'b', '/blocks 1');
    await reader.waitForEnd('b');
    expect(endsOf(reader).map((frame) => frame.payload['reason'])).toEqual(['cancelled', 'stop']);
  });

  it('[D-09] finds a message without a notification', async () => {
    await start();
    const reader = new FakeReader();
    const message = aMessage({ messageId: 'a', payload: aPayload({ content: '/blocks 1' }) });
    harness.delivery.subscribe(reader, message.session.id, 0);
    // Stored without the queue, as by another replica whose hint was lost.
    await harness.store.accept(message, GENEROUS_LIMITS);
    await harness.clock.advanceAsync(1_000);
    await reader.waitForEnd('a');
  });

  it('[C-06] continues to claim after the store was unavailable', async () => {
    await start();
    const reader = new FakeReader();
    const claim = harness.store.claim.bind(harness.store);
    let failures = 2;
    harness.store.claim = (request) =>
      failures-- > 0 ? Promise.reject(new GatewayError('STORE_UNAVAILABLE', {})) : claim(request);
    await harness.say(reader, 'a', '/blocks 1');
    const ended = reader.waitForEnd('a');
    while (failures >= 0) await harness.clock.advanceAsync(1_000);
    await ended;
  });

  it('[D-10] a turn stops when its lease could not be renewed for two thirds of its duration', async () => {
    await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 9 5000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    harness.store.renew = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', {}));
    await harness.clock.advanceAsync(10_000);
    const before = reader.frames.length;
    await harness.clock.advanceAsync(60_000);
    expect(reader.frames.length).toBe(before);
  });
});

describe('claims', () => {
  it('[D-10] of a shared store end when a renewal stays without an answer, counted from when the claim was sent', async () => {
    harness = new CoreHarness({ store: TEST_STORES.shared });
    await harness.store.open();
    const { claim } = harness.store;
    harness.store.claim = async (request) => {
      await harness.clock.sleep(4_000);
      return claim.call(harness.store, request);
    };
    harness.store.renew = () => new Promise(() => {});
    const started = Promise.withResolvers<AbortSignal>();
    const run = (_: Claim, signal: AbortSignal) => {
      started.resolve(signal);
      return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    };
    harness.claims.start({ run, endNow: () => false });
    await harness.say(new FakeReader(), 'a', 'x');
    await harness.clock.advanceAsync(4_000);
    const signal = await started.promise;
    expect(signal.aborted).toBe(false);
    await harness.clock.advanceAsync(4_000);
    expect(signal.reason).toBe('lease_lost');
  });

  it('[D-10] renew the second run of a message whose first run ends late, after it lost its lease', async () => {
    harness = new CoreHarness();
    await harness.store.open();
    const started = [Promise.withResolvers<Claim>(), Promise.withResolvers<Claim>()];
    const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const signals: AbortSignal[] = [];
    const run = (claim: Claim, signal: AbortSignal) => {
      const n = signals.push(signal) - 1;
      started[n]?.resolve(claim);
      return ends[n]?.promise ?? Promise.resolve();
    };
    harness.claims.start({ run, endNow: () => false });
    await harness.say(new FakeReader(), 'a', 'x');
    const first = await started[0]!.promise;
    const renewals: (readonly Lease[])[] = [];
    harness.store.renew = async (leases) => {
      renewals.push(leases);
      return { lost: leases.filter(({ epoch }) => epoch === first.lease.epoch), cancelRequested: [] };
    };
    await harness.store.release(first.lease);
    await harness.clock.advanceAsync(4_000);
    const second = await started[1]!.promise;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    ends[0]!.resolve();
    await harness.clock.advanceAsync(4_000);
    expect(renewals.at(-1)).toEqual([second.lease]);
    expect(signals[1]?.aborted).toBe(false);
    ends[1]!.resolve();
  });
});

describe.each([86_400_000, -86_400_000])('a clock that is set by %d ms', (ms) => {
  it('[N-01] ends no lease, also while a renewal fails', async () => {
    await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 2 8000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    const { renew } = harness.store;
    harness.store.renew = () => {
      harness.store.renew = renew;
      return Promise.reject(new GatewayError('STORE_UNAVAILABLE', {}));
    };
    harness.clock.setWallTime(ms);
    await harness.clock.advanceAsync(8_000);
    expect((await reader.waitForEnd('a')).payload['reason']).toBe('stop');
  });
});

describe('a drain', () => {
  it('[L-04] lets running turns finish and starts no others', async () => {
    await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 2 1000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    const drained = harness.claims.drain(30_000, new AbortController().signal);
    await harness.say(reader, 'b', '/blocks 1');
    await harness.clock.advanceAsync(1_000);
    await drained;
    expect(ids(endsOf(reader))).toEqual(['a']);
    expect((await harness.store.countQueue(0)).queued).toBe(1);
  });

  it('[L-06] releases turns that do not finish in time, or at once when hurried, without counting the attempt', async () => {
    await start({ settings: { 'agent.max_attempts': 1 } });
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 2 60000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    for (let i = 0; i < 3; i++) {
      await harness.claims.drain(30_000, AbortSignal.abort());
      harness.startTurns();
      const attempt = i + 2;
      await reader.waitFor((frame) => frame.type === 'stream_block' && frame.payload['attempt'] === attempt);
    }
    await harness.clock.advanceAsync(60_000);
    expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'stop', blocks: 2 });
  });
});
