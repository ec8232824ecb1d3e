import { afterEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../protocol/domain.js';
import { CoreHarness, type CoreHarnessOptions } from '../../testing/core-harness.js';
import { aSession } from '../../testing/factories.js';
import { FakeReader } from '../../testing/fake-reader.js';
import type { Done, Lease, WriteOutcome } from '../store/index.js';
import { AgentRuntime, type AgentEvent, type AgentTurn, type Piece } from './agent-runtime.js';

const PIECES: readonly Piece[] = [
  { blockType: 'markdown', text: 'one ', ends: false },
  { blockType: 'markdown', text: 'block', ends: true, metadata: { language: 'en' } },
  { blockType: 'status', text: 'another', ends: true },
];

/** Repeats the same pieces, at once unless the test says otherwise, and notes what it is asked. */
class SteadyRuntime extends AgentRuntime {
  override readonly name = 'steady';
  readonly asked: string[] = [];
  isSlow = false;

  override answerNow(): readonly Piece[] | undefined {
    this.asked.push('now');
    return this.isSlow ? undefined : PIECES;
  }

  override async *run(turn: AgentTurn): AsyncIterable<AgentEvent> {
    this.asked.push('run');
    if (turn.recordedAnswer(0)) return;
    for (const piece of PIECES) yield { type: 'piece', piece };
    yield { type: 'answer', answer: { toolCalls: [] }, isLast: true };
  }
}

let harness: CoreHarness;
afterEach(() => harness.stop());

async function start(options: CoreHarnessOptions = {}): Promise<SteadyRuntime> {
  const runtime = new SteadyRuntime();
  harness = await new CoreHarness({ ...options, runtime: () => runtime }).start();
  return runtime;
}

describe('a turn whose runtime answers at once', () => {
  it('[M-10] has the frames and the history of any other turn', async () => {
    const runtime = await start();
    const reader = new FakeReader();
    for (const [id, isSlow] of [
      ['a', false],
      ['b', true],
    ] as const) {
      runtime.isSlow = isSlow;
      await harness.say(reader, id, 'hello');
      await reader.waitForEnd(id);
    }
    expect(runtime.asked).toEqual(['now', 'now', 'run']);
    const [at, , , then] = reader.frames;
    const ref = (frame = at) => frame?.payload['message_ref'] as string;
    const asSecond = JSON.stringify(reader.frames.slice(0, 3)).replaceAll(ref(), ref(then));
    const unnamed = (text: string) => (JSON.parse(text) as object[]).map((frame) => ({ ...frame, id: '', seq: 0 }));
    const second = JSON.stringify(reader.frames.slice(3)).replaceAll('"b"', '"a"');
    expect(unnamed(asSecond)).toEqual(unnamed(second));
    const { messages } = await harness.store.readHistory(at?.session_id ?? '', 9);
    expect(messages.map(({ status }) => status)).toEqual(['done', 'done']);
    const text = JSON.stringify(messages[0]?.reply).replaceAll(ref(), ref(then));
    expect(JSON.parse(text)).toEqual(messages[1]?.reply);
  });

  it('[S-03] sends its deltas before its blocks, only to readers that want them', async () => {
    await start();
    const [with_, without] = [new FakeReader(true), new FakeReader()];
    const { sessionId, headSeq } = await harness.say(with_, 'a', '/blocks');
    harness.delivery.subscribe(without, sessionId, headSeq);
    await with_.waitForEnd('a');
    const types = ['stream_block', 'stream_block', 'stream_end'];
    expect(without.frames.map(({ type }) => type)).toEqual(types);
    expect(with_.frames.map(({ type }) => type)).toEqual(['stream_delta', 'stream_delta', 'stream_delta', ...types]);
    expect(with_.frames[1]?.payload).toMatchObject({ block_id: with_.frames[3]?.payload['block_id'], delta: 'block' });
  });

  it('[C-06] takes a run when its commit fails, and ends once', async () => {
    const runtime = await start();
    const { finishThen } = harness.store;
    harness.store.finishThen = (_lease, _end, done) => {
      harness.store.finishThen = finishThen;
      queueMicrotask(() => done(new GatewayError('STORE_UNAVAILABLE', {})));
    };
    const reader = new FakeReader(true);
    await harness.say(reader, 'a', 'hello');
    await reader.waitForEnd('a');
    expect(runtime.asked).toEqual(['now', 'run']);
    expect(reader.frames.filter(({ type }) => type === 'stream_end')).toHaveLength(1);
    expect(reader.frames.filter(({ type }) => type === 'stream_delta')).toHaveLength(3);
  });

  it('[C-02] takes a slot for its run after a failed commit', async () => {
    const runtime = await start({ settings: { 'agent.concurrency': 1 } });
    const run = runtime.run.bind(runtime);
    const held = Promise.withResolvers<void>();
    runtime.run = async function* (turn) {
      await held.promise;
      yield* run(turn);
    };
    const { finishThen } = harness.store;
    harness.store.finishThen = (_lease, _end, done) => {
      harness.store.finishThen = finishThen;
      queueMicrotask(() => done(new GatewayError('STORE_UNAVAILABLE', {})));
    };
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'hello');
    await harness.clock.advanceAsync(1_000);
    await harness.say(reader, 'other', 'hello', { session: aSession('other') });
    await harness.clock.advanceAsync(1_000);
    expect(runtime.asked).toEqual(['now']);
    held.resolve();
    await reader.waitForEnd('other');
    expect(runtime.asked).toEqual(['now', 'run', 'now']);
  });

  it('[C-04] is stopped after a failed commit if it was cancelled meanwhile', async () => {
    await start();
    const failing = Promise.withResolvers<() => void>();
    harness.store.finishThen = (_lease, _end, done) =>
      failing.resolve(() => done(new GatewayError('STORE_UNAVAILABLE', {})));
    const reader = new FakeReader();
    const { messageRef } = await harness.say(reader, 'a', 'hello');
    const fail = await failing.promise;
    await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    fail();
    expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'cancelled', blocks: 0 });
  });

  it('[L-04] is waited for by a drain', async () => {
    await start();
    const { finishThen } = harness.store;
    const reached = Promise.withResolvers<() => void>();
    harness.store.finishThen = (...all) => reached.resolve(() => finishThen.apply(harness.store, all));
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'hello');
    const commit = await reached.promise;
    let isDrained = false;
    const drain = harness.claims.drain(60_000, new AbortController().signal).then(() => (isDrained = true));
    await harness.clock.advanceAsync(1_000);
    expect(isDrained).toBe(false);
    commit();
    await drain;
    expect(reader.frames.at(-1)).toMatchObject({ type: 'stream_end', payload: { reason: 'stop' } });
  });

  it('[C-02] takes no slot while it is committed, and its session has one turn at a time', async () => {
    const runtime = await start({ settings: { 'agent.concurrency': 1 } });
    const { finishThen } = harness.store;
    const commits: (() => void)[] = [];
    harness.store.finishThen = (...all) => void commits.push(() => finishThen.apply(harness.store, all));
    const reader = new FakeReader();
    for (const id of ['a', 'b', 'c']) await harness.say(reader, id, id);
    await harness.say(reader, 'other', 'hello', { session: aSession('other') });
    await harness.clock.advanceAsync(1_000);
    expect([runtime.asked.length, commits.length]).toEqual([2, 2]);
    commits.shift()?.();
    await reader.waitForEnd('a');
    await harness.clock.advanceAsync(0);
    expect([runtime.asked.length, commits.length]).toEqual([3, 2]);
    commits.shift()?.();
    harness.store.finishThen = finishThen;
    commits.shift()?.();
    await reader.waitForEnd('c');
  });
});

describe('a runtime is not asked to answer at once', () => {
  it.each(['steer', 'collect'])('[C-20] while messages may join (%s)', async (policy) => {
    const runtime = await start({ settings: { 'queue.busy_policy': policy } });
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'hello');
    await reader.waitForEnd('a');
    expect(runtime.asked).toEqual(['run']);
  });

  it('[G-12] for a command that the gateway runs itself', async () => {
    const runtime = await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/reset');
    await reader.waitForEnd('a');
    expect([runtime.asked, reader.blocksOf('a')[0]?.type]).toEqual([[], 'status']);
  });

  it('[D-06] about a message that an earlier run began', async () => {
    const runtime = await start();
    const first = Promise.withResolvers<{ readonly lease: Lease; readonly done: Done<WriteOutcome> }>();
    harness.store.finishThen = (lease, _end, done) => first.resolve({ lease, done });
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'hello');
    const { lease, done } = await first.promise;
    await harness.store.release(lease);
    await harness.clock.advanceAsync(2_000);
    await reader.waitForEnd('a');
    expect(runtime.asked).toEqual(['now', 'run']);
    done({ kind: 'fenced' });
  });
});
