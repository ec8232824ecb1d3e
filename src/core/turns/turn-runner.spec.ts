import { afterEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../protocol/domain.js';
import { CoreHarness, type CoreHarnessOptions } from '../../testing/core-harness.js';
import { FakeReader } from '../../testing/fake-reader.js';
import { aTool, scripted } from '../../testing/scripted-turns.js';
import { AgentRuntime, type AgentEvent, type AgentTurn } from './agent-runtime.js';

let harness: CoreHarness;
afterEach(() => harness.stop());
const start = async (options: CoreHarnessOptions = {}) => (harness = await new CoreHarness(options).start());

describe('the metrics of turns', () => {
  it('count turns by their ends, and tool calls by outcome', async () => {
    const handler = (parameters: unknown) => 'x'.repeat((parameters as { n: number }).n);
    await start({ tools: [aTool({ handler })] });
    const reader = new FakeReader();
    for (const [id, content] of [
      ['a', '/blocks 1'],
      ['b', '/tool test.tool {"n": 1}'],
      ['c', '/tool test.tool {"n": -1}'],
      ['d', '/fail'],
    ] as const) {
      await harness.say(reader, id, content);
      await reader.waitForEnd(id);
    }
    await harness.claims.drain(1_000, new AbortController().signal);
    const turns = ['stop', 'cancelled', 'error', 'merged', 'given_back'];
    expect(turns.map((outcome) => harness.metrics.read('openclaw_turns_total', { outcome }))).toEqual([3, 0, 1, 0, 0]);
    const calls = ['ok', 'TOOL_FAILED'];
    expect(
      calls.map((outcome) => harness.metrics.read('openclaw_tool_calls_total', { tool: 'test.tool', outcome })),
    ).toEqual([1, 1]);
    expect(harness.metrics.readObserved('openclaw_turn_seconds')).toHaveLength(4);
    expect(harness.metrics.readObserved('openclaw_queue_wait_seconds')).toHaveLength(4);
    expect(harness.metrics.readObserved('openclaw_tool_call_seconds', { tool: 'test.tool' })).toHaveLength(2);
  });

  it('count a turn that is released', async () => {
    await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 2 60000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    await harness.claims.drain(0, AbortSignal.abort());
    expect(harness.metrics.read('openclaw_turns_total', { outcome: 'given_back' })).toBe(1);
  });
});

describe('a turn', () => {
  it('[M-10] streams blocks with a dense index and ends once, with the number of standing blocks', async () => {
    await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 3');
    const end = await reader.waitForEnd('a');
    expect(reader.blocksOf('a').map((block) => block.content)).toEqual(['block 1', 'block 2', 'block 3']);
    expect(
      reader.frames.filter((frame) => frame.type === 'stream_block').map((frame) => frame.payload['index']),
    ).toEqual([0, 1, 2]);
    expect(end.payload).toMatchObject({ reason: 'stop', blocks: 3 });
    expect(reader.seqs).toEqual([1, 2, 3, 4]);
  });

  it('lets an agent that is faster than the store wait', async () => {
    let made = 0;
    async function* talk(): AsyncGenerator<AgentEvent> {
      while (made++ < 4_000) yield { type: 'piece', piece: { blockType: 'text', text: 'x', ends: true } };
    }
    await start(scripted(talk));
    const append = harness.store.append.bind(harness.store);
    let madeMeanwhile = 0;
    // The store takes its time until the agent has stopped.
    harness.store.append = async (...all) => {
      for (let before = -1; before < made;) {
        before = made;
        for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
      }
      madeMeanwhile ||= made;
      return append(...all);
    };
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'hi');
    await reader.waitForEnd('a');
    expect(reader.blocksOf('a')).toHaveLength(4_000);
    expect(madeMeanwhile).toBeLessThan(3_000);
  });

  it('[Q-13] starts when the tool sources have listed their tools or are known to be down, and waits 10 s at most', async () => {
    await start();
    const { sources } = harness.tools;
    const aSource = (prefix: string) => ({ label: prefix, prefix, timeoutMs: 60_000 });
    const [ready, away] = [sources.add(aSource('a__')), sources.add(aSource('b__'))];
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/tool a__tool {"n": 1}');
    const hasBlock = () => reader.frames.some((frame) => frame.type === 'stream_block');
    await harness.clock.advanceAsync(5_000);
    harness.tools.register(aTool({ name: 'a__tool' }));
    ready.setReady();
    await harness.clock.advanceAsync(0);
    expect(hasBlock()).toBe(false);
    away.setAway();
    await reader.waitForEnd('a');
    expect(JSON.parse(reader.blocksOf('a')[1]?.content ?? '')).toMatchObject({ ok: true, content: { n: 1 } });
    sources.add(aSource('c__'));
    await harness.say(reader, 'b', 'hi');
    await harness.clock.advanceAsync(10_000);
    await reader.waitForEnd('b');
  });

  it('[Q-13] holds a call for a tool whose source reconnects', async () => {
    await start();
    const source = harness.tools.sources.add({ label: 'the device', prefix: 'a__', timeoutMs: 60_000 });
    source.setReady();
    source.setConnecting();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/tool a__tool {"n": 1}');
    await harness.clock.advanceAsync(30_000);
    harness.tools.register(aTool({ name: 'a__tool' }));
    source.setReady();
    await reader.waitForEnd('a');
    expect(JSON.parse(reader.blocksOf('a')[1]?.content ?? '')).toMatchObject({ ok: true, content: { n: 1 } });
    source.setAway();
    harness.tools.unregister('a__tool');
    await harness.say(reader, 'b', '/tool a__tool {"n": 1}');
    await reader.waitForEnd('b');
    expect(reader.blocksOf('b')[1]?.content).toContain('the device cannot be reached');
  });

  it('[S-03] sends deltas only to readers that want them, and the block is the deltas joined', async () => {
    await start();
    const [plain, growing] = [new FakeReader(), new FakeReader(true)];
    const { sessionId } = await harness.say(plain, 'first', '/blocks 1');
    await plain.waitForEnd('first');
    harness.delivery.subscribe(growing, sessionId, 2);
    await harness.say(plain, 'a', 'a text of several portions, so that it grows');
    await growing.waitForEnd('a');
    const deltas = growing.frames.filter((frame) => frame.type === 'stream_delta');
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.map((frame) => frame.payload['delta']).join('')).toBe(growing.blocksOf('a')[0]?.content);
    expect(new Set(deltas.map((frame) => frame.payload['block_id'])).size).toBe(1);
    expect(plain.frames.some((frame) => frame.type === 'stream_delta')).toBe(false);
  });

  it('[M-12] that fails ends with its error', async () => {
    await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/fail');
    expect((await reader.waitForEnd('a')).payload).toMatchObject({
      reason: 'error',
      error: { code: 'AGENT_FAILED', retryable: false },
    });
  });

  it('[M-12] whose runtime throws another error ends with INTERNAL and hides the cause', async () => {
    await start(
      // oxlint-disable-next-line require-yield -- it fails before it yields anything
      scripted(async function* () {
        throw new Error('secret cause');
      }),
    );
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'x');
    const end = await reader.waitForEnd('a');
    expect(end.payload).toMatchObject({ reason: 'error', error: { code: 'INTERNAL' } });
    expect(JSON.stringify(end)).not.toContain('secret');
  });

  it('[M-12] that fails also says so in a block, after its earlier ones', async () => {
    // oxlint-disable-next-line require-yield -- it fails
    await start(
      scripted(async function* () {
        yield { type: 'text', text: 'half an ans' } as const;
        throw new GatewayError('AGENT_FAILED', { reason: 'the wire broke' });
      }),
    );
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'x');
    expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'error', blocks: 2 });
    expect(reader.blocksOf('a')).toEqual([
      { type: 'text', content: 'half an ans' },
      { type: 'status', content: 'The agent failed: the wire broke' },
    ]);
  });

  it.each(['before', 'after'])(
    '[R-12] withdraws a half-streamed answer that restarts, %s a recorded step',
    async (when) => {
      const half = Promise.withResolvers<void>();
      await start(
        scripted(async function* () {
          if (when === 'after') {
            yield { type: 'text', text: 'kept' } as const;
            yield { type: 'answer', answer: { toolCalls: [] } } as const;
          }
          yield { type: 'text', text: 'half\n\nand a' } as const;
          await half.promise;
          yield { type: 'restart_answer' } as const;
          yield { type: 'restart_answer' } as const;
          yield { type: 'text', text: 'whole' } as const;
          yield { type: 'answer', answer: { toolCalls: [] }, isLast: true } as const;
        }),
      );
      const reader = new FakeReader(true);
      await harness.say(reader, 'a', 'x');
      const shown = await reader.waitFor(
        (frame) => frame.type === 'stream_block' && frame.payload['content'] === 'half',
      );
      half.resolve();
      const kept = when === 'after' ? ['kept'] : [];
      expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'stop', blocks: kept.length + 1 });
      const restarts = reader.frames
        .filter((frame) => frame.type === 'stream_restart')
        .map((frame) => frame.payload['replaces_from_seq']);
      expect(restarts).toEqual([shown.seq]);
      expect(reader.blocksOf('a').map((block) => block.content)).toEqual([...kept, 'whole']);
      const indexes = reader.frames
        .filter((frame) => frame.type === 'stream_block')
        .map((frame) => frame.payload['index']);
      expect(indexes).toEqual([...kept.map((_, i) => i), kept.length, kept.length]);
    },
  );

  it('[R-12] withdraws text that was shown only as deltas', async () => {
    await start(
      scripted(async function* () {
        yield { type: 'text', text: 'hal' } as const;
        yield { type: 'restart_answer' } as const;
        yield { type: 'text', text: 'whole' } as const;
      }),
    );
    const reader = new FakeReader(true);
    await harness.say(reader, 'a', 'x');
    await reader.waitForEnd('a');
    expect(reader.frames.map((frame) => frame.type)).toEqual([
      'stream_delta',
      'stream_restart',
      'stream_delta',
      'stream_block',
      'stream_end',
    ]);
    expect(reader.blocksOf('a').map((block) => block.content)).toEqual(['whole']);
  });

  it('[M-12] that takes too long ends with an error, even if its agent ignores the signal', async () => {
    await start({
      settings: { 'agent.turn_timeout_ms': 1_000 },
      ...scripted(async function* () {
        yield { type: 'text', text: 'a' } as const;
        await new Promise(() => {});
      }),
    });
    const reader = new FakeReader(true);
    await harness.say(reader, 'a', 'x');
    await reader.waitFor((frame) => frame.type === 'stream_delta');
    await harness.clock.advanceAsync(1_000);
    expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'error', error: { code: 'AGENT_FAILED' } });
  });

  it('[R-14] that takes too long also ends its tools', async () => {
    let toolSignal: AbortSignal | undefined;
    const slow = aTool({
      timeoutMs: 60_000,
      handler: (_parameters, { signal }) => new Promise(() => (toolSignal = signal)),
    });
    await start({
      settings: { 'agent.turn_timeout_ms': 1_000 },
      tools: [slow],
      ...scripted(async function* (turn) {
        yield { type: 'answer', answer: { toolCalls: [{ tool: 'test.tool', parameters: { n: 1 } }] } } as const;
        await turn.callTool(0, 0, { tool: 'test.tool', parameters: { n: 1 } });
      }),
    });
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'x');
    await reader.waitFor((frame) => frame.payload['status'] === 'running');
    await harness.clock.advanceAsync(1_000);
    expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'error', error: { code: 'AGENT_FAILED' } });
    expect(toolSignal?.aborted).toBe(true);
  });

  it('[C-04] that is cancelled ends soon with its complete blocks', async () => {
    await start();
    const reader = new FakeReader();
    const { messageRef } = await harness.say(reader, 'a', '/blocks 10 1000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason: 'cancelled', blocks: 1 });
  });

  it.each(['cancelled', 'error'] as const)(
    '[S-14] that ends as %s keeps the block that was shown so far',
    async (reason) => {
      class Agent extends AgentRuntime {
        override readonly name = 'agent';
        override async *run({ signal }: AgentTurn): AsyncGenerator<AgentEvent> {
          yield { type: 'text', text: 'Whole.\n\nHalf a sen' };
          if (reason === 'error') throw new GatewayError('AGENT_FAILED', { reason: 'x' });
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        }
      }
      await start({ runtime: () => new Agent() });
      const reader = new FakeReader(true);
      const { messageRef } = await harness.say(reader, 'a', 'x');
      const shown = await reader.waitFor(({ payload }) => String(payload['delta']).includes('Half'));
      if (reason === 'cancelled') await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
      expect((await reader.waitForEnd('a')).payload).toMatchObject({ reason });
      const blocks = reader.frames.filter(({ type }) => type === 'stream_block');
      expect(blocks[1]?.payload).toMatchObject({
        block_id: shown.payload['block_id'],
        block_type: 'text',
        content: 'Half a sen',
        metadata: { partial: true },
      });
    },
  );

  it('[C-04] that is cancelled while an event is written ends its agent', async () => {
    const ended = Promise.withResolvers<string>();
    class Agent extends AgentRuntime {
      override readonly name = 'agent';
      override async *run({ message }: AgentTurn): AsyncGenerator<AgentEvent> {
        try {
          harness.store.append = (lease, write) => {
            harness.claims.stop(message.messageRef, 'cancelled');
            return append(lease, write);
          };
          yield { type: 'answer', answer: { toolCalls: [] } };
        } finally {
          ended.resolve('ended');
        }
      }
    }
    harness = await new CoreHarness({ runtime: () => new Agent() }).start();
    const append = harness.store.append.bind(harness.store);
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'hi');
    expect(await ended.promise).toBe('ended');
    expect((await reader.waitForEnd('a')).payload['reason']).toBe('cancelled');
  });

  it('[D-05] that a crash interrupted replaces its half-streamed step and ends once', async () => {
    await start();
    const reader = new FakeReader();
    await harness.say(reader, 'a', '/blocks 3 1000');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    // The queue releases the turn as in a drain, which leaves the log as after a crash in mid-answer.
    await harness.claims.drain(0, AbortSignal.abort());
    harness.startTurns();
    const ended = reader.waitForEnd('a');
    // The agent may set its timers after the clock has started to advance.
    for (let isOver = false; !isOver; void ended.then(() => (isOver = true))) await harness.clock.advanceAsync(1_000);
    expect((await ended).payload).toMatchObject({ reason: 'stop', blocks: 3 });
    expect(reader.blocksOf('a').map((block) => block.content)).toEqual(['block 1', 'block 2', 'block 3']);
    expect(reader.frames.find((frame) => frame.type === 'stream_restart')?.payload).toMatchObject({
      attempt: 2,
      replaces_from_seq: 1,
    });
  });

  it('[D-06] reuses its recorded answers and requests only the first missing one', async () => {
    const asked: number[] = [];
    let resume = () => {};
    await start(
      scripted(async function* (turn) {
        if (!turn.recordedAnswer(0)) {
          asked.push(0);
          yield { type: 'text', text: 'first' } as const;
          yield { type: 'answer', answer: { toolCalls: [], usage: { input_tokens: 2, output_tokens: 3 } } } as const;
          await new Promise<void>((resolve) => (resume = resolve));
        }
        asked.push(1);
        yield { type: 'text', text: 'second' } as const;
        yield { type: 'answer', answer: { toolCalls: [], usage: { input_tokens: 5, output_tokens: 7 } } } as const;
      }),
    );
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'x');
    await reader.waitFor((frame) => frame.type === 'stream_block');
    await harness.claims.drain(0, AbortSignal.abort());
    resume();
    harness.startTurns();
    const end = await reader.waitForEnd('a');
    expect(asked).toEqual([0, 1]);
    expect(reader.blocksOf('a').map((block) => block.content)).toEqual(['first', 'second']);
    expect(reader.frames.some((frame) => frame.type === 'stream_restart')).toBe(false);
    expect(end.payload).toMatchObject({ usage: { input_tokens: 7, output_tokens: 10 } });
  });

  it('[C-06] waits for the store when it is unavailable, and loses nothing', async () => {
    await start();
    const reader = new FakeReader();
    const append = harness.store.finish.bind(harness.store);
    let failures = 2;
    harness.store.finish = (lease, end) =>
      failures-- > 0 ? Promise.reject(new GatewayError('STORE_UNAVAILABLE', {})) : append(lease, end);
    await harness.say(reader, 'a', '/blocks 2');
    const ended = reader.waitForEnd('a');
    while (failures >= 0) await harness.clock.advanceAsync(1_000);
    expect((await ended).payload).toMatchObject({ reason: 'stop', blocks: 2 });
    expect(reader.frames.filter((frame) => frame.type === 'stream_end')).toHaveLength(1);
  });
});
