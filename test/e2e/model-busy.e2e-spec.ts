import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Type from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CoreHarness } from '../../src/testing/core-harness.js';
import { aClient, aPayload } from '../../src/testing/factories.js';
import { FakeReader } from '../../src/testing/fake-reader.js';
import { storeAt } from '../../src/testing/test-stores.js';
import { buildModelHarness } from '../support/model-harness.js';
import { ModelServer } from '../support/model-server.js';

let server: ModelServer;
let harness: CoreHarness;
let ann: FakeReader;
let folder: string;
/** Ends the call of the tool `test.wait`. */
let release: () => void;

beforeEach(async () => {
  server = await ModelServer.start();
  ann = new FakeReader(true);
  folder = mkdtempSync(join(tmpdir(), 'model-busy-'));
});
afterEach(async () => {
  await harness.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(policy: string): Promise<void> {
  const wait = {
    name: 'wait',
    description: 'Waits.',
    parameters: Type.Object({}),
    permissions: [],
    timeoutMs: 60_000,
    idempotent: true,
    requiresApproval: false,
    sandbox: false,
    handler: () => new Promise<string>((resolve) => (release = () => resolve('waited'))),
  };
  harness = await buildModelHarness(server, 'openai-completions', {
    store: storeAt(`sqlite:${folder}/gateway.db`),
    settings: { 'queue.busy_policy': policy },
    tools: [wait],
  }).start();
}

const waiting = { toolCalls: [{ name: 'wait', arguments: '{}', id: 'call_1' }] };
const isRunning = (frame: { type: string; payload: Record<string, unknown> }) =>
  frame.type === 'tool_status' && frame.payload['status'] === 'running';
const endOf = async (id: string) => (await ann.waitForEnd(id)).payload;

describe('a message that arrives during a turn with a model', () => {
  it('[C-20] joins it with steer: the model gets it with the results of the tools', async () => {
    await start('steer');
    server.answer(waiting, { content: 'Both done.' });
    const { messageRef } = await harness.say(ann, 'a', 'begin');
    await ann.waitFor(isRunning);
    await harness.say(ann, 'b', 'and make it blue');
    release();
    expect(await endOf('a')).toMatchObject({ reason: 'stop' });
    expect(await endOf('b')).toMatchObject({ reason: 'merged', merged_into: messageRef, blocks: 0 });
    expect(server.asked[1]?.messages.slice(1).map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user']);
    expect(server.said(1)).toContain('and make it blue');
    expect(server.asked).toHaveLength(2);
  });

  it('stays out of later turns when the turn that it joined fails', async () => {
    await start('steer');
    server.answer(waiting, { error: { message: 'no' }, status: 401 }, { content: 'Hello.' });
    await harness.say(ann, 'a', 'begin');
    await ann.waitFor(isRunning);
    await harness.say(ann, 'b', 'and make it blue');
    release();
    expect(await endOf('a')).toMatchObject({ reason: 'error' });
    await harness.say(ann, 'c', 'hello');
    await endOf('c');
    expect(server.said()).toBe('hello');
  });

  it('[C-20] joins it with steer during the last answer: the turn continues', async () => {
    await start('steer');
    server.answer(
      { response: { content: 'Red it is, then. '.repeat(20) }, chunkSize: 10, streamingProfile: { ttft: 1, tps: 100 } },
      { content: 'Blue, then.' },
    );
    await harness.say(ann, 'a', 'red, please');
    await ann.waitFor((frame) => frame.type === 'stream_delta');
    await harness.say(ann, 'b', 'no, blue');
    expect(await endOf('a')).toMatchObject({ reason: 'stop', blocks: 2 });
    expect(await endOf('b')).toMatchObject({ reason: 'merged' });
    expect(ann.blocksOf('a').at(-1)?.content).toBe('Blue, then.');
    expect(server.asked[1]?.messages.slice(1).map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  });

  it('[C-20] waits with collect, and is answered together with all waiting messages', async () => {
    await start('collect');
    server.answer(waiting, { content: 'First.' }, { content: 'The others.' }, { content: 'Three things.' });
    await harness.say(ann, 'a', 'first');
    await ann.waitFor(isRunning);
    const { messageRef } = await harness.say(ann, 'b', 'second');
    await harness.say(ann, 'c', 'third');
    release();
    expect(await endOf('a')).toMatchObject({ reason: 'stop' });
    expect(await endOf('c')).toMatchObject({ reason: 'merged', merged_into: messageRef });
    expect(await endOf('b')).toMatchObject({ reason: 'stop' });
    expect(server.said(2).split('\n---\n').at(-1)).toBe('second\nthird');
    await harness.say(ann, 'd', 'what did I say?');
    await endOf('d');
    expect(server.asked[3]?.messages.slice(1).map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
      'assistant',
      'user',
    ]);
  });

  it("[C-20] does not join when it is a command or another principal's, and no other message overtakes it", async () => {
    await start('steer');
    server.answer(waiting, { content: 'Done.' }, { content: 'Hello stranger.' }, { content: 'Late.' });
    await harness.say(ann, 'a', 'begin');
    await ann.waitFor(isRunning);
    await harness.say(ann, 'b', 'me too', { client: aClient({ principal: 'bob' }) });
    await harness.say(ann, 'c', '/help');
    await harness.say(ann, 'd', 'late');
    release();
    const reasons = await Promise.all(['a', 'b', 'c', 'd'].map(async (id) => (await endOf(id))['reason']));
    expect(reasons).toEqual(['stop', 'stop', 'stop', 'stop']);
    expect(server.asked).toHaveLength(4);
  });

  it('[M-20] does not join when it supersedes another, because it needs a context of its own', async () => {
    await start('steer');
    server.answer({ content: 'First.' }, waiting, { content: 'Done.' }, { content: 'Again.' });
    const { messageRef: supersedes } = await harness.say(ann, 'a', 'hello');
    await endOf('a');
    await harness.say(ann, 'b', 'begin');
    await ann.waitFor(isRunning);
    await harness.say(ann, 'c', '', { payload: aPayload({ content: 'hello again', supersedes }) });
    release();
    expect(await endOf('c')).toMatchObject({ reason: 'stop', blocks: 1 });
    expect(server.asked[3]?.messages.slice(1)).toHaveLength(1);
  });

  it('[C-20] waits in a queue session whatever the policy', async () => {
    await start('steer');
    server.answer(waiting, { content: 'One.' }, { content: 'Two.' });
    const job = (content: string) => ({ payload: aPayload({ queue: 'jobs', content }) });
    await harness.say(ann, 'a', '', job('one'));
    await ann.waitFor(isRunning);
    await harness.say(ann, 'b', '', job('two'));
    release();
    expect(await endOf('b')).toMatchObject({ reason: 'stop', blocks: 1 });
  });

  it.each(['steer', 'collect'])('[C-20] and has joined with %s survives a crash', async (policy) => {
    await start(policy);
    server.answer(waiting, { content: 'First.' });
    await harness.say(ann, 'a', 'first');
    await ann.waitFor(isRunning);
    await harness.say(ann, 'b', 'second');
    await harness.say(ann, 'c', 'third');
    const cut = policy === 'steer' ? 1 : 2;
    server.mock.clearFixtures();
    server.mock.on({ predicate: () => server.asked.length < cut }, { content: 'First.' });
    server.mock.on({ predicate: () => server.asked.length === cut }, { content: 'never seen' }, { latency: 30_000 });
    server.mock.on({}, { content: 'After the crash.' });
    release();
    await expect.poll(() => server.asked.length).toBe(cut + 1);
    await harness.crash();
    // Its remaining work has no effect, because its store is closed.
    await harness.claims.drain(0, AbortSignal.abort());
    const sessionId = ann.frames.find((frame) => frame.session_id)?.session_id ?? '';
    await start(policy);
    ann = new FakeReader();
    await harness.delivery.resume(ann, { sessionId, seq: 0 }, 'again');
    const ends = await Promise.all(['a', 'b', 'c'].map(endOf));
    expect(ends.map(({ reason }) => reason)).toEqual(
      policy === 'steer' ? ['stop', 'merged', 'merged'] : ['stop', 'stop', 'merged'],
    );
    expect(ann.frames.filter(({ type }) => type === 'stream_end')).toHaveLength(3);
    expect(server.asked).toHaveLength(cut + 2);
    expect(server.said()).toContain('second');
    expect(server.said()).toContain('third');
    expect(server.said(cut + 1)).toBe(server.said(cut));
  });
});
