import Type from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ToolDefinition } from '../../src/core/tools/tool.js';
import type { CoreHarness } from '../../src/testing/core-harness.js';
import { FakeReader } from '../../src/testing/fake-reader.js';
import { buildModelHarness, SleeplessClock } from '../support/model-harness.js';
import { ModelServer, textOf, WIRES, type Wire } from '../support/model-server.js';

let server: ModelServer;
let harness: CoreHarness;
let clock: SleeplessClock;
const reader = () => new FakeReader(true);

beforeEach(async () => {
  server = await ModelServer.start();
});
afterEach(async () => {
  await harness.stop();
  await server.stop();
});

async function start(wire: Wire, options: Parameters<typeof buildModelHarness>[2] = {}): Promise<CoreHarness> {
  clock = new SleeplessClock();
  harness = buildModelHarness(server, wire, { clock, ...options });
  return harness.start();
}

const echo: ToolDefinition = {
  name: 'test.echo',
  description: 'Says it again.',
  parameters: Type.Object({ text: Type.String() }, { additionalProperties: false }),
  permissions: [],
  timeoutMs: 1_000,
  idempotent: false,
  requiresApproval: false,
  sandbox: false,
  handler: (parameters) => `echo: ${(parameters as { text: string }).text}`,
};

const call = (text: string, id = 'call_1') => ({ name: 'test_echo', arguments: JSON.stringify({ text }), id });

describe.each(WIRES)('a model over %s', (wire) => {
  it('[R-05] [R-06] answers in deltas and typed blocks, with its usage, and does not show its thoughts', async () => {
    await start(wire);
    const usage =
      wire === 'openai-completions'
        ? { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }
        : { input_tokens: 11, output_tokens: 7 };
    server.answer({
      response: { content: 'Hi there.\n\n```ts\nlet a = 1;\n```', reasoning: 'what shall I say', usage },
      chunkSize: 4,
    });
    const ann = reader();
    await harness.say(ann, 'a', 'hello');
    expect((await ann.waitForEnd('a')).payload).toMatchObject({
      reason: 'stop',
      blocks: 2,
      usage: { input_tokens: 11, output_tokens: 7 },
    });
    expect(ann.blocksOf('a')).toEqual([
      { type: 'text', content: 'Hi there.' },
      { type: 'code', content: 'let a = 1;' },
    ]);
    expect(ann.frames.filter((frame) => frame.type === 'stream_delta').length).toBeGreaterThan(3);
    expect(JSON.stringify(ann.frames)).not.toContain('what shall I say');
    expect(server.said()).toBe('hello');
  });

  it('[R-07] calls tools and gets their results, several in one answer in order', async () => {
    await start(wire, { tools: [echo] });
    server.answer({ toolCalls: [call('one', 'call_1'), call('two', 'call_2')] }, { content: 'Both said.' });
    const ann = reader();
    await harness.say(ann, 'a', 'say one and two');
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'stop', blocks: 5 });
    expect(ann.blocksOf('a').map(({ type }) => type)).toEqual([
      'tool_call',
      'tool_result',
      'tool_call',
      'tool_result',
      'text',
    ]);
    expect(server.asked[0]?.tools.map((tool) => tool.function.name)).toEqual(['test_echo']);
    const results = server.asked[1]?.messages.filter((message) => message.role === 'tool');
    expect(results?.map(({ content }) => textOf(content))).toEqual(['echo: one', 'echo: two']);
  });

  it('[R-07] gets an error for calls that are unknown, refused or wrong, and continues', async () => {
    await start(wire, { tools: [echo, { ...echo, name: 'secret', permissions: ['all'] }] });
    const bad = [
      { name: 'nothing', arguments: '{}', id: 'c1' },
      { name: 'secret', arguments: '{"text":"x"}', id: 'c2' },
      { name: 'test_echo', arguments: '{"txt":"x"}', id: 'c3' },
    ];
    server.answer({ toolCalls: bad }, { content: 'Sorry.' });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'stop' });
    const results =
      server.asked[1]?.messages.filter((message) => message.role === 'tool').map(({ content }) => textOf(content)) ??
      [];
    expect(results.map((result) => /TOOL_\w+/.exec(result)?.[0])).toEqual([
      'TOOL_NOT_FOUND',
      'TOOL_DENIED',
      'TOOL_INVALID_PARAMETERS',
    ]);
    expect(server.asked[0]?.tools.map((tool) => tool.function.name)).toEqual(['test_echo']);
  });

  it('[R-11] is retried after 503 with growing delays, and after 429 when the provider says', async () => {
    await start(wire);
    server.answer(
      { error: { message: 'busy' }, status: 503 },
      { error: { message: 'busy' }, status: 503 },
      { error: { message: 'slow down' }, status: 429, retryAfter: 7 },
      { content: 'At last.' },
    );
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'stop', blocks: 1 });
    expect(server.asked.map(({ status }) => status)).toEqual([503, 503, 429, 200]);
    const [first = 0, second = 0, third] = clock.slept;
    expect(first).toBeGreaterThanOrEqual(500);
    expect(first).toBeLessThanOrEqual(1_000);
    expect(second).toBeGreaterThanOrEqual(1_000);
    expect(second).toBeLessThanOrEqual(2_000);
    expect(third).toBe(7_000);
  });

  it('[R-12] whose stream is cut is retried, and the shown part is withdrawn', async () => {
    await start(wire);
    const text = 'A first paragraph.\n\nA second one, and then some more.';
    server.answer(
      { response: { content: text }, chunkSize: 5, truncateAfterChunks: 9, streamingProfile: { ttft: 1, tps: 300 } },
      { content: text },
    );
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'stop', blocks: 2 });
    expect(ann.frames.filter((frame) => frame.type === 'stream_restart')).toHaveLength(1);
    expect(
      ann
        .blocksOf('a')
        .map(({ content }) => content)
        .join('\n\n'),
    ).toBe(text);
    expect(server.asked).toHaveLength(2);
  });

  it("[R-13] that fails permanently says so in plain words, without the provider's text", async () => {
    await start(wire);
    server.answer({
      error: { message: 'Incorrect API key: sk-of-the-test', type: 'authentication_error' },
      status: 401,
    });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    expect((await ann.waitForEnd('a')).payload).toMatchObject({
      reason: 'error',
      blocks: 1,
      error: { code: 'AGENT_FAILED' },
    });
    expect(ann.blocksOf('a')).toEqual([{ type: 'status', content: expect.stringContaining('refuses the credential') }]);
    expect(JSON.stringify(ann.frames)).not.toMatch(/sk-|Incorrect/);
    expect(server.asked).toHaveLength(1);
  });

  it('[R-14] stops when its message is cancelled', async () => {
    await start(wire);
    server.answer({
      response: { content: 'a slow answer '.repeat(50) },
      chunkSize: 3,
      streamingProfile: { ttft: 1, tps: 5 },
    });
    const ann = reader();
    const { messageRef } = await harness.say(ann, 'a', 'x');
    await ann.waitFor((frame) => frame.type === 'stream_delta');
    await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'cancelled' });
    await expect.poll(() => server.abandoned).toBe(1);
  });
});

describe('a model', () => {
  const wire = 'openai-completions';

  it('[R-04] is used from the next turn on when the settings name one at run time', async () => {
    await start(wire, { settings: { 'agent.model': undefined } });
    const ann = reader();
    await harness.config.open(harness.store);
    await harness.say(ann, 'a', 'hello');
    await ann.waitForEnd('a');
    expect(ann.blocksOf('a')[0]?.content).toContain('No model is configured');
    server.answer({ content: 'Here I am.' });
    await harness.config.set('agent.model', 'local/test-model', 'ada');
    await harness.say(ann, 'b', 'hello');
    await ann.waitForEnd('b');
    expect(ann.blocksOf('b')).toEqual([{ type: 'text', content: 'Here I am.' }]);
  });

  it('[R-04] is named by the built-in agent where the setting of the runtime keeps it from answering', async () => {
    await start(wire, { settings: { 'agent.runtime': 'builtin' } });
    const ann = reader();
    await harness.say(ann, 'a', 'hello');
    await ann.waitForEnd('a');
    const [said] = ann.blocksOf('a');
    expect(said?.content).toMatch(
      /^\*\*The runtime of this agent is `builtin`\*\*.* To let `local\/test-model` answer/,
    );
    expect(said?.content).not.toContain('No model');
  });

  it('[R-04] leaves commands to the gateway', async () => {
    await start(wire, { tools: [echo] });
    const ann = reader();
    for (const command of ['/help', '/status', '/tools', '/reset']) await harness.say(ann, command, command);
    await ann.waitForEnd('/reset');
    expect(ann.blocksOf('/status')[0]?.content).toContain('model: local/test-model');
    expect(ann.blocksOf('/tools')).toEqual([{ type: 'status', content: 'test.echo: Says it again.' }]);
    expect(server.asked).toHaveLength(0);
  });

  it('[R-07] whose parameters are not JSON does not call the tool', async () => {
    const effects: string[] = [];
    await start(wire, { tools: [{ ...echo, handler: () => effects.push('an effect') }] });
    server.answer(
      { toolCalls: [{ name: 'test_echo', arguments: '{"text":"delete every', id: 'c1' }] },
      { content: 'Sorry.' },
    );
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    await ann.waitForEnd('a');
    expect(effects).toEqual([]);
    expect(textOf(server.asked[1]?.messages.find((message) => message.role === 'tool')?.content ?? '')).toContain(
      'TOOL_INVALID_PARAMETERS',
    );
  });

  it('[R-07] that calls tools endlessly is stopped', async () => {
    await start(wire, { tools: [echo] });
    server.mock.on({}, { toolCalls: [call('again')] });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'error', error: { code: 'AGENT_FAILED' } });
    expect(server.asked).toHaveLength(64);
  });

  it('[R-05] that says nothing, or reaches its length limit, still gives users a text', async () => {
    await start(wire);
    server.answer({ content: '' }, { content: 'and so on', finishReason: 'length' });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    await harness.say(ann, 'b', 'x');
    await ann.waitForEnd('b');
    expect(ann.blocksOf('a')).toEqual([{ type: 'status', content: 'The model gave no answer.' }]);
    expect(ann.blocksOf('b').map(({ type }) => type)).toEqual(['text', 'status']);
  });

  it('[R-11] whose provider stays down is given up, with a plain reason', async () => {
    await start(wire, { provider: { max_retries: 2 } });
    server.mock.on({}, { error: { message: 'down' }, status: 500 });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'error' });
    expect(ann.blocksOf('a')[0]?.content).toBe(
      'The agent failed: the provider of the model does not work at the moment (HTTP 500); try again later',
    );
    expect(server.asked).toHaveLength(3);
  });

  it('[R-11] whose provider asks for a longer wait than a turn has is not retried', async () => {
    await start(wire);
    server.answer({ error: { message: 'later' }, status: 429, retryAfter: 600 });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    await ann.waitForEnd('a');
    expect(ann.blocksOf('a')[0]?.content).toContain('asks to wait for 10 minutes');
    expect(clock.slept).toEqual([]);
  });

  it('[R-11] that cannot be reached is retried and then given up', async () => {
    await start(wire, { provider: { base_url: 'http://127.0.0.1:9/v1', max_retries: 1 } });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    await ann.waitForEnd('a');
    expect(ann.blocksOf('a')[0]?.content).toContain('cannot be reached');
    expect(clock.slept).toHaveLength(1);
  });

  it('[R-11] whose provider is silent for too long is retried', async () => {
    await start(wire, { provider: { idle_timeout_ms: 2_000 } });
    server.answer({ response: { content: 'too late' }, latency: 20_000 }, { content: 'Here I am.' });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    await expect.poll(() => server.asked.length).toBe(1);
    await clock.advanceAsync(2_000);
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'stop' });
    expect(ann.blocksOf('a')).toEqual([{ type: 'text', content: 'Here I am.' }]);
    await expect.poll(() => server.abandoned).toBe(1);
  });

  it('[R-13] [R-14] that takes longer than a turn may is abandoned, and the turn says so', async () => {
    await start(wire, { settings: { 'agent.turn_timeout_ms': 5_000 } });
    server.answer({ response: { content: 'too late' }, latency: 20_000 });
    const ann = reader();
    await harness.say(ann, 'a', 'x');
    await expect.poll(() => server.asked.length).toBe(1);
    await clock.advanceAsync(5_000);
    expect((await ann.waitForEnd('a')).payload).toMatchObject({ reason: 'error', error: { code: 'AGENT_FAILED' } });
    expect(ann.blocksOf('a')).toEqual([{ type: 'status', content: 'The agent failed: no answer within 5000 ms' }]);
    await expect.poll(() => server.abandoned).toBe(1);
  });
});
