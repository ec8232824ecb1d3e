import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import type { FrameClient, SeenFrame } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { eventually } from '../support/eventually.js';
import { ModelServer, textOf } from '../support/model-server.js';

let server: ModelServer;
let gateway: GatewayApp;
let driver: FrameClient;

beforeEach(async () => void (server = await ModelServer.start()));
afterEach(async () => {
  await gateway.close();
  await server.stop();
});

async function start(settings: Readonly<Record<string, unknown>>): Promise<void> {
  gateway = await GatewayApp.start({
    settings: { ...withTokens, providers: { local: server.provider('openai-completions') }, ...settings },
  });
  driver = await gateway.connect('d', TOKENS.driver);
}
const change = (changes: Readonly<Record<string, unknown>>) => {
  const config = gateway.app.get(ConfigStoreService);
  return config.change(config.version, changes, 'test');
};
const OPS = [{ agent: 'ops', channel: 'test' }];

async function say(content: string, fields: object = {}, client = driver): Promise<SeenFrame> {
  return client.answerTo(client.send('message_in', { channel: 'test', sender: 'ann', content, ...fields }));
}
const endOf = (ack: SeenFrame, client = driver) =>
  client.next(({ type, payload }) => type === 'stream_end' && payload['id'] === ack.payload['id']);

/** Says a text and returns the reply. */
async function ask(content: string, client = driver): Promise<string> {
  const ack = await say(content, {}, client);
  await endOf(ack, client);
  const blocks = client.unread.filter(
    ({ type, payload }) => type === 'stream_block' && payload['message_id'] === ack.payload['id'],
  );
  return blocks.map(({ payload }) => payload['content']).join('\n');
}
/** The tools and the system prompt of a question to the model. */
const toolsOf = (n: number) => server.asked[n]?.tools.map((tool) => tool.function.name).toSorted();
const promptOf = (n: number) => textOf(server.asked[n]?.messages.find(({ role }) => role === 'system')?.content ?? '');

describe('the settings of an agent', () => {
  it("[Z-40] its busy policy takes precedence over the channel's, and that over the general one", async () => {
    await start({
      'queue.busy_policy': 'followup',
      channels: { test: { busy_policy: 'interrupt' } },
      agents: { ops: { busy_policy: 'followup' } },
      bindings: [{ agent: 'ops', sender: 'ann' }],
    });
    const startOf = (ack: SeenFrame) =>
      driver.next(({ type, payload }) => type === 'stream_block' && payload['message_id'] === ack.payload['id']);
    const interrupted = await say('/blocks 2 60000', { sender: 'bob' });
    await startOf(interrupted);
    await say('hello', { sender: 'bob' });
    expect((await endOf(interrupted)).payload).toMatchObject({ reason: 'cancelled' });
    const kept = await say('/blocks 2 100');
    await startOf(kept);
    await say('hello');
    expect((await endOf(kept)).payload).toMatchObject({ reason: 'stop' });
  });

  it('[Z-41] its model settings reach the provider, and its tools are those that are allowed and not denied', async () => {
    await start({
      'agent.model': 'local/m',
      'tools.default_permissions': ['http'],
      agents: {
        ops: {
          model: 'local/other',
          max_output_tokens: 321,
          permissions: ['memory'],
          tools: { allow: ['memory.*', 'time.*', 'http.*'], deny: ['memory.save'] },
        },
      },
      bindings: OPS,
    });
    server.answer({ content: 'Hi.' });
    await ask('hello');
    expect(toolsOf(0)).toEqual(['memory_search', 'time_now']);
    expect(JSON.parse(server.bodies[0] ?? '')).toMatchObject({ model: 'other', max_tokens: 321 });
  });

  it('[Z-42] a turn ends under the agent with which it began, and the next one has the changed agent', async () => {
    await start({ 'agent.model': 'local/m' });
    const ops = (prompt: string, tool: string) => ({
      agents: { ops: { system_prompt: prompt, tools: { allow: [tool] } } },
    });
    await change({ ...ops('the-old-prompt', 'time.now'), bindings: OPS });
    const call = { toolCalls: [{ name: 'time_now', arguments: '{}', id: 'c1' }] };
    server.answer({ response: call, latency: 300 }, { content: 'Done.' }, { content: 'Hi.' });
    const running = await say('what time is it?');
    await eventually(() => expect(server.bodies).toHaveLength(1));
    await change(ops('the-new-prompt', 'session.info'));
    await endOf(running);
    await ask('hello');
    expect([0, 1, 2].map((n) => /the-(old|new)-prompt/.exec(promptOf(n))?.[1])).toEqual(['old', 'old', 'new']);
    expect([0, 1, 2].map(toolsOf)).toEqual([['time_now'], ['time_now'], ['session_info']]);
  });
});

describe('a binding', () => {
  it('[Z-43] grants no access: who may not write to a channel is refused, bound or not', async () => {
    await start({
      agents: { ops: {} },
      bindings: [
        { agent: 'ops', channel: 'other' },
        { agent: 'ops', principal: 'driver' },
      ],
    });
    for (const content of ['hello', '@ops hello'])
      expect(await say(content, { channel: 'other' })).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
    expect(await say('hello')).toMatchObject({ payload: { agent: 'ops' } });
  });

  it('[Z-05] moves no message that supersedes another: it goes to the session of that one', async () => {
    await start({ agents: { ops: {} } });
    const first = await say('one');
    await endOf(first);
    await change({ bindings: OPS });
    const again = await say('two', { supersedes: first.payload['message_ref'] });
    expect(again).toMatchObject({ session_id: first.session_id, payload: { agent: 'main' } });
    expect((await say('three')).payload).toMatchObject({ agent: 'ops' });
  });
});

describe('the commands about agents', () => {
  it('[Z-44] /status names agent and session; /agents lists those of the tenant, of a stand-in the name only', async () => {
    await start({
      agents: {
        main: { description: 'secret-of-main' },
        ops: { name: 'olga', description: 'Runs the machines' },
        acme: { tenant: 'acme' },
      },
      bindings: OPS,
    });
    expect(await ask('/status')).toMatch(/session: \S+ \(main, channel test\)[^]*agent: olga \(ops\)/);
    expect(await ask('/agents')).toBe('- openclaw (main): secret-of-main\n* olga (ops): Runs the machines');
    const stranger = await gateway.connect('s', TOKENS.stranger);
    expect(await ask('/agents', stranger)).toBe('* openclaw (main)\n- acme (acme)');
  });

  it('[Z-44] /agents is bounded, and says how many it leaves out', async () => {
    const description = 'd'.repeat(1_024);
    const ids = Array.from({ length: 300 }, (_, n) => `agent-${n}`);
    await start({ agents: Object.fromEntries(ids.map((id) => [id, { description }])) });
    const list = await ask('/agents');
    expect(list.length).toBeLessThan(8_300);
    expect(list).toMatch(/^\* openclaw \(main\)\n- agent-0 \(agent-0\): d{200}…\n[^]*\n- and 26\d more: /);
  });
});
