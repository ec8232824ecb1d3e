import Type from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CoreHarness } from '../../src/testing/core-harness.js';
import { FakeReader } from '../../src/testing/fake-reader.js';
import { storeAt } from '../../src/testing/test-stores.js';
import { buildModelHarness, SleeplessClock } from '../support/model-harness.js';
import { ModelServer, textOf, WIRES, type ScriptedAnswer, type Wire } from '../support/model-server.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let first: ModelServer;
let second: ModelServer;
let harness: CoreHarness;
let clock: SleeplessClock;
let ann: FakeReader;
let folder: string;

beforeEach(async () => {
  [first, second] = await Promise.all([ModelServer.start(), ModelServer.start()]);
  ann = new FakeReader(true);
  folder = mkdtempSync(join(tmpdir(), 'fallbacks-'));
});
afterEach(async () => {
  await harness.stop();
  await Promise.all([first.stop(), second.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

type Options = NonNullable<Parameters<typeof buildModelHarness>[2]>;
type ProviderChanges = Parameters<ModelServer['provider']>[1];

/** Starts with the models `first/one` and, as its fallback, `second/two`. */
async function start(
  {
    wires = ['openai-completions', 'openai-completions'],
    settings = {},
    ...options
  }: Options & { wires?: readonly [Wire, Wire] } = {},
  changes: ProviderChanges = {},
): Promise<void> {
  clock = new SleeplessClock();
  const providers = { first: first.provider(wires[0], changes), second: second.provider(wires[1]) };
  harness = await buildModelHarness(first, wires[0], {
    clock,
    settings: { 'agent.model': 'first/one', 'agent.fallbacks': ['second/two'], providers, ...settings },
    ...options,
  }).start();
}

async function say(id: string, content = 'hello') {
  await harness.say(ann, id, content);
  return (await ann.waitForEnd(id)).payload;
}

const note = (handler: () => string) => ({
  name: 'note',
  description: 'Takes a note.',
  parameters: Type.Object({}),
  permissions: [],
  timeoutMs: 1_000,
  idempotent: false,
  requiresApproval: false,
  sandbox: false,
  handler,
});
const callNote = (id: string): ScriptedAnswer => ({
  toolCalls: [{ name: 'note', arguments: '{}', id }],
  reasoning: 'secret thought',
});
const busy: ScriptedAnswer = { error: { message: 'busy' }, status: 503 };

describe('a model with a fallback', () => {
  it.each<[string, ScriptedAnswer, number]>([
    ['has no credit', { error: { message: 'Your credit balance is too low' }, status: 400 }, 1],
    ['has no quota', { error: { message: 'no', code: 'insufficient_quota' }, status: 429 }, 1],
    ['refuses the key', { error: { message: 'no' }, status: 401 }, 1],
    ['does not know the model', { error: { message: 'no such model' }, status: 404 }, 1],
    ['is overloaded', busy, 2],
    ['asks for a long delay', { error: { message: 'later' }, status: 429, retryAfter: 11 }, 1],
  ])('[R-16] [R-19] whose provider %s is answered for by it', async (_how, failure, times) => {
    await start();
    first.answer(...Array.from({ length: times }, () => failure));
    second.answer({ content: 'Here I am.' });
    expect(await say('a')).toMatchObject({ reason: 'stop', blocks: 1, usage: { model: 'second/two' } });
    expect(ann.blocksOf('a')).toEqual([{ type: 'text', content: 'Here I am.' }]);
    expect(first.asked).toHaveLength(times);
    expect(second.said()).toBe('hello');
  });

  it('[R-16] whose provider cannot be reached is answered for by it', async () => {
    await start({}, { base_url: 'http://127.0.0.1:9/v1' });
    second.answer({ content: 'Here I am.' });
    expect(await say('a')).toMatchObject({ reason: 'stop' });
    expect(clock.slept).toHaveLength(1);
  });

  it('[R-16] that says nothing in time is left at once, with its first byte it is waited for', async () => {
    await start({}, { first_byte_timeout_ms: 5_000 });
    first.answer({ response: { content: 'too late' }, latency: 20_000 });
    second.answer({ content: 'Here I am.' });
    await harness.say(ann, 'a', 'hello');
    await expect.poll(() => first.asked.length).toBe(1);
    await clock.advanceAsync(5_000);
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ usage: { model: 'second/two' } });
    await expect.poll(() => first.abandoned).toBe(1);
    await clock.advanceAsync(30_000);
    first.answer({ response: { content: 'slow but sure' }, chunkSize: 2, streamingProfile: { ttft: 1, tps: 40 } });
    await harness.say(ann, 'b', 'hello');
    await ann.waitFor((frame) => frame.type === 'stream_delta' && frame.payload['message_id'] === 'b');
    await clock.advanceAsync(6_000);
    expect((await ann.waitForEnd('b')).payload).toMatchObject({ usage: { model: 'first/one' } });
  });

  it('[R-12] [R-16] whose stream breaks twice is answered for by it, and what was shown is withdrawn', async () => {
    await start();
    const text = 'A first paragraph.\n\nA second one, and then some more.';
    const broken = {
      response: { content: text },
      chunkSize: 5,
      truncateAfterChunks: 9,
      streamingProfile: { ttft: 1, tps: 300 },
    };
    first.answer(broken, broken);
    second.answer({ content: 'The whole answer.' });
    expect(await say('a')).toMatchObject({ reason: 'stop', blocks: 1 });
    expect(ann.frames.filter((frame) => frame.type === 'stream_restart').length).toBeGreaterThan(0);
    expect(
      ann.frames.filter((frame) => frame.type === 'stream_block').every(({ payload }) => payload['attempt'] === 1),
    ).toBe(true);
    expect(ann.blocksOf('a')).toEqual([{ type: 'text', content: 'The whole answer.' }]);
  });

  it('[R-16] is not passed over for a bad request or a refusal of content, which would be the same elsewhere', async () => {
    await start();
    first.answer(
      { error: { message: 'bad tools' }, status: 400 },
      { error: { message: 'blocked', code: 'content_filter' }, status: 400 },
    );
    expect(await say('a')).toMatchObject({ reason: 'error' });
    expect(await say('b')).toMatchObject({ reason: 'error' });
    expect(second.asked).toHaveLength(0);
  });

  it('[R-16] is not passed over for a question that is too long: that is shortened', async () => {
    await start();
    const overflow = { error: { message: 'x', code: 'context_length_exceeded' }, status: 400 };
    first.answer(overflow, { content: 'Short enough.' });
    expect(await say('a')).toMatchObject({ usage: { model: 'first/one' } });
    expect(second.asked).toHaveLength(0);
  });

  it('[R-14] [R-16] is not passed over for a cancel', async () => {
    await start();
    first.answer({ response: { content: 'too late' }, latency: 20_000 });
    const { messageRef } = await harness.say(ann, 'a', 'hello');
    await expect.poll(() => first.asked.length).toBe(1);
    await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'cancelled' });
    expect(second.asked).toHaveLength(0);
  });

  it('[R-17] rests after a failure: the fallback is asked directly, and /status says why', async () => {
    await start();
    first.mock.on({}, { error: { message: 'no' }, status: 401 });
    second.mock.on({}, { content: 'Here I am.' });
    await say('a');
    await say('b');
    expect([first.asked.length, second.asked.length]).toEqual([1, 2]);
    await say('c', '/status');
    expect(ann.blocksOf('c')[0]?.content).toContain(
      'model: first/one\nfallbacks: second/two\nresting: first (key refused) for 30 s',
    );
    await clock.advanceAsync(30_000);
    await say('d');
    expect(first.asked).toHaveLength(2);
  });

  it('[R-17] that rests is asked when all fail, and the turn says why the last one did not answer', async () => {
    await start();
    first.answer(busy, busy, { content: 'Back again.' });
    second.answer({ error: { message: 'no' }, status: 401 }, { error: { message: 'no' }, status: 401 });
    expect(await say('a')).toMatchObject({ reason: 'error' });
    expect(ann.blocksOf('a')[0]?.content).toContain('refuses the credential');
    expect(await say('b')).toMatchObject({ reason: 'stop', usage: { model: 'first/one' } });
  });

  it('[R-17] that is alone is asked again at once after a failure, however long it rests', async () => {
    await start({ settings: { 'agent.fallbacks': [] } }, { max_retries: 0 });
    first.answer(busy, { content: 'Here I am.' });
    expect(await say('a')).toMatchObject({ reason: 'error' });
    const before = clock.elapsed();
    expect(await say('b')).toMatchObject({ reason: 'stop' });
    expect(clock.elapsed()).toBe(before);
    expect(clock.slept).toEqual([]);
  });
});

describe.each(WIRES.flatMap((one) => WIRES.map((two) => [one, two] as const)))(
  'a turn that changes from %s to %s',
  (one, two) => {
    it('[R-18] [R-19] continues with its calls and results, without the reasoning of the first', async () => {
      const effects: string[] = [];
      await start({ wires: [one, two], tools: [note(() => `noted ${effects.push('once')}`)] });
      first.answer(callNote('call|of/the first'), { error: { message: 'no' }, status: 401 });
      second.answer(callNote('call_1'), { content: 'Noted twice.' });
      const end = await say('a', 'take notes');
      expect(end).toMatchObject({
        reason: 'stop',
        usage: { model: 'second/two', by_model: [{ model: 'first/one' }, { model: 'second/two' }] },
      });
      expect(effects).toHaveLength(2);
      expect(second.asked.map(({ status }) => status)).toEqual([200, 200]);
      const results = second.asked[1]?.messages
        .filter(({ role }) => role === 'tool')
        .map(({ content }) => textOf(content));
      expect(results).toEqual(['noted 1', 'noted 2']);
      expect(second.bodies[0]).not.toContain('secret thought');
      expect(second.bodies[0]).not.toContain('call|of');
    });

    it('[R-08] [R-18] goes on with its recorded answers after a crash, whichever model gave them', async () => {
      const open = () =>
        start({ wires: [one, two], store: storeAt(`sqlite:${folder}/gateway.db`), tools: [note(() => 'noted')] });
      await open();
      first.answer(callNote('c1'), { response: { content: 'never' }, latency: 60_000 });
      await harness.say(ann, 'a', 'take a note');
      await expect.poll(() => first.asked.length).toBe(2);
      await harness.crash();
      await harness.stop();
      second.answer({ content: 'Noted.' });
      const settings = { 'agent.model': 'second/two', 'agent.fallbacks': [] };
      ann = new FakeReader(true);
      clock = new SleeplessClock();
      harness = buildModelHarness(first, one, {
        clock,
        store: storeAt(`sqlite:${folder}/gateway.db`),
        settings: { ...settings, providers: { second: second.provider(two) } },
      });
      await harness.start();
      await harness.say(ann, 'a', 'take a note');
      await expect.poll(() => second.asked.length).toBe(1);
      await ann.waitForEnd('a');
      const results = second.asked[0]?.messages
        .filter(({ role }) => role === 'tool')
        .map(({ content }) => textOf(content));
      expect(results).toEqual(['noted']);
    });
  },
);
