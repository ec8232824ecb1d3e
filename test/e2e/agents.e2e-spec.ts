import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { openDatabase } from '../../src/stores/sqlite/file/database.js';
import { MIGRATIONS } from '../../src/stores/sqlite/schema/migrations.js';
import type { FrameClient, SeenFrame } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { ModelServer, textOf } from '../support/model-server.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const gateway of open.splice(0).reverse()) await gateway.close();
});

async function start(settings: Record<string, unknown> = {}): Promise<GatewayApp> {
  const gateway = await GatewayApp.start({ settings: { ...withTokens, ...settings } });
  open.push(gateway);
  return gateway;
}
const change = (gateway: GatewayApp, changes: Record<string, unknown>) => {
  const config = gateway.app.get(ConfigStoreService);
  return config.change(config.version, changes, 'test');
};
const inChat = (changes: object = {}) => ({ channel: 'test', sender: 'ann', content: 'hello', ...changes });

/** Sends a message and returns its acknowledgement. */
async function say(
  client: FrameClient,
  payload: object,
  frame: { session_id?: string; id?: string } = {},
): Promise<SeenFrame> {
  const sent = client.send('message_in', payload, frame);
  const id = frame.id ?? sent;
  return client.next(({ type, correlation_id: of }) => of === id && (type === 'message_ack' || type === 'error'));
}

/** Sends a message; returns the text of its reply and the error it ended with, if it did. */
async function ask(client: FrameClient, payload: object, frame: { session_id?: string } = {}) {
  const ack = await say(client, payload, frame);
  const id = ack.payload['id'];
  const end = await client.next(({ type, payload: { id: of } }) => type === 'stream_end' && of === id);
  const blocks = client.unread.filter(({ type, payload: { message_id: of } }) => type === 'stream_block' && of === id);
  const error = end.payload['error'] as { readonly code: string; readonly message: string } | undefined;
  return {
    agent: ack.payload['agent'],
    session: ack.session_id,
    text: blocks.map(({ payload: { content } }) => content).join('\n'),
    ...(error && { error }),
  };
}

const OPS = { agents: { ops: { name: 'olga' } } };
const BOUND = { ...OPS, bindings: [{ agent: 'ops', channel: 'test', group_id: 'machines' }] };

describe('a message', () => {
  it('[Z-02] goes to the session of the agent that its binding names, and the acknowledgement names the agent', async () => {
    const gateway = await start();
    await change(gateway, BOUND);
    const driver = await gateway.connect('d', TOKENS.driver);
    const bound = await say(driver, inChat({ group_id: 'machines', content: '@olga hello' }));
    const other = await say(driver, inChat({ group_id: 'kitchen', content: '@openclaw hello' }));
    expect([bound.payload['agent'], other.payload['agent']]).toEqual(['ops', 'main']);
    await change(gateway, { bindings: [] });
    const after = await say(driver, inChat({ group_id: 'machines', content: '@openclaw hello' }));
    expect(after.payload['agent']).toBe('main');
    expect(after.session_id).not.toBe(bound.session_id);
  });

  it('[Z-06] mentions its own agent only, whose name alone counts in a command', async () => {
    const gateway = await start(BOUND);
    const driver = await gateway.connect('d', TOKENS.driver);
    const inGroup = (content: string) => say(driver, inChat({ group_id: 'machines', content }));
    const statuses = [];
    for (const text of ['@openclaw hi', '/help@openclaw', '@olga hi', '/help@olga'])
      statuses.push((await inGroup(text)).payload['status']);
    expect(statuses).toEqual(['observed', 'observed', 'queued', 'queued']);
  });

  it('[Z-07] with a session_id goes to that session and its agent, whatever the bindings say', async () => {
    const gateway = await start();
    await change(gateway, { ...OPS, bindings: [{ agent: 'ops', channel: 'test' }] });
    const driver = await gateway.connect('d', TOKENS.driver);
    const before = await ask(driver, inChat());
    await change(gateway, { bindings: [] });
    const named = await ask(driver, inChat(), { session_id: before.session! });
    const unnamed = await ask(driver, inChat());
    expect([named.agent, named.session]).toEqual(['ops', before.session]);
    expect([unnamed.agent, unnamed.session === before.session]).toEqual(['main', false]);
  });

  it('[Z-05] that is repeated after its chat was bound to another agent is a duplicate, not a second turn', async () => {
    const gateway = await start(OPS);
    const driver = await gateway.connect('d', TOKENS.driver);
    const first = await say(driver, inChat(), { id: 'once' });
    await change(gateway, { bindings: [{ agent: 'ops', channel: 'test' }] });
    const again = await say(driver, inChat(), { id: 'once' });
    expect(again.payload).toMatchObject({ status: 'duplicate', agent: 'main' });
    expect([again.session_id, again.payload['message_ref']]).toEqual([first.session_id, first.payload['message_ref']]);
  });

  it('[Z-03] that waits is answered by the agent of its session when the binding changes under load', async () => {
    const gateway = await start({ 'agent.concurrency': 2 });
    await change(gateway, BOUND);
    const driver = await gateway.connect('d', TOKENS.driver);
    const total = 60;
    for (let i = 0; i < total; i++) {
      driver.send(
        'message_in',
        inChat({ sender: `s${i % 5}`, group_id: 'machines', content: '@olga @openclaw /blocks 1' }),
        { id: `m${i}` },
      );
      const bindings = i % 2 === 0 ? [] : BOUND.bindings;
      if (i % 10 === 0) await change(gateway, { bindings });
    }
    const seen = new Map<unknown, { agent?: unknown; session?: string; ends: string[] }>();
    for (let ended = 0; ended < total;) {
      const frame = await driver.next(({ type }) => type === 'message_ack' || type === 'stream_end');
      const entry = seen.get(frame.payload['id']) ?? { ends: [] };
      seen.set(frame.payload['id'], entry);
      if (frame.type === 'stream_end') {
        entry.ends.push(frame.session_id ?? '');
        ended++;
      } else Object.assign(entry, { agent: frame.payload['agent'], session: frame.session_id });
    }
    expect(seen.size).toBe(total);
    for (const { session, ends } of seen.values()) expect(ends).toEqual([session]);
    expect(
      new Set([...seen.values()].map(({ agent, session }) => `${String(agent)} ${session}`)).size,
    ).toBeLessThanOrEqual(2);
  });
});

describe('an agent that is removed', () => {
  it('[Z-08] leaves waiting messages that end with AGENT_FAILED, and sessions that can be read', async () => {
    const gateway = await start({ 'agent.concurrency': 1 });
    await change(gateway, { 'agents.ops.name': 'olga', bindings: [{ agent: 'ops', channel: 'test' }] });
    const driver = await gateway.connect('d', TOKENS.driver);
    const running = await say(driver, inChat({ content: '/wait 60000' }));
    const waiting = await say(driver, inChat({ sender: 'bob', content: '/blocks 1' }));
    const later = await say(driver, inChat({ sender: 'cid' }));
    expect([running, waiting, later].map(({ payload }) => payload['agent'])).toEqual(['ops', 'ops', 'ops']);
    await change(gateway, { bindings: [], agents: null });
    await change(gateway, { 'agents.ops': null });
    driver.send('cancel', { message_ref: running.payload['message_ref'] });
    for (const { session_id } of [waiting, later]) {
      const end = await driver.next((frame) => frame.type === 'stream_end' && frame.session_id === session_id);
      expect(end.payload).toMatchObject({ reason: 'error', error: { code: 'AGENT_FAILED' } });
    }
    const history = driver.send('history', { limit: 10 }, { session_id: waiting.session_id });
    expect((await driver.answerTo(history)).payload['messages']).toMatchObject([
      { agent: 'ops', content: '/blocks 1' },
    ]);
    const into = await ask(driver, inChat({ sender: 'bob' }), { session_id: waiting.session_id! });
    expect(into).toMatchObject({ agent: 'ops', error: { code: 'AGENT_FAILED' } });
  });

  it('[Z-08] cannot be one that a binding names', async () => {
    const gateway = await start(BOUND);
    expect(await change(gateway, { agents: {} })).toMatchObject({
      kind: 'invalid',
      faults: [{ key: 'agents', message: expect.stringContaining('bindings[0].agent') as string }],
    });
  });
});

describe('a user', () => {
  it('[Z-09] learns on connecting which agent is bound now, and its main session with that agent on webchat', async () => {
    const gateway = await start({
      ...OPS,
      'auth.tokens': [{ token: TOKENS.alice, principal: 'alice', role: 'user' }],
    });
    const connected = async () => {
      const client = await gateway.open('c', TOKENS.alice);
      const { payload } = await client.next('connected');
      return { client, agent: payload['agent'], session: payload['session_id'] };
    };
    const first = await connected();
    expect([first.agent, first.session]).toEqual(['main', undefined]);
    const { session } = await ask(first.client, { channel: 'webchat', sender: 'alice', content: 'hello' });
    expect((await connected()).session).toBe(session);
    await change(gateway, { bindings: [{ agent: 'ops', channel: 'webchat' }] });
    const bound = await connected();
    expect([bound.agent, bound.session]).toEqual(['ops', undefined]);
    await change(gateway, { bindings: [] });
    expect((await connected()).session).toBe(session);
  });
});

describe('a store of the version before', () => {
  it('[Z-10] keeps the key and the content of every session, and all belong to main', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'agents-'));
    open.push({ close: async () => rmSync(folder, { recursive: true }) });
    const path = join(folder, 'gateway.db');
    const old = openDatabase(path, MIGRATIONS.slice(0, 2));
    // Written by a gateway with schema version 2. Its own rows replace those of the migration.
    old.database.exec(`DELETE FROM gateway; ${readFileSync('test/support/store-version-2.sql', 'utf8')}`);
    old.close();
    const gateway = await start({ 'store.url': `sqlite:${path}` });
    const operator = await gateway.connect('c', TOKENS.operator);
    const chats = [
      ['s_fA11snI515VcfXaiiXaT4cFV-50y18q-', { channel: 'test', sender: 'ann' }, ['hello from ann']],
      ['s_pN49d6OkixvisOZL0BfX4ndS0dyKeEZ1', { channel: 'webchat', sender: 'ann' }, ['hello from the page']],
      [
        's_9VHQOT3PzffeG55aY-4BUpDdhxTAlREU',
        { channel: 'test', sender: 'bob', group_id: 'g' },
        ['@openclaw hello', 'just talking'],
      ],
      [
        's_4G1Mi85QsFOpCFft9vkGF9wFIXCHTf4d',
        { channel: 'test', sender: 'bob', group_id: 'g', thread_id: 't' },
        ['@openclaw thread'],
      ],
      ['s_E16w0fdb8iL_1K_R761WGY2AGr1bt5qG', { channel: 'test', sender: 'bob', queue: 'jobs' }, ['a job']],
      ['s_Uk3k7Ojw2mlu9DekReHgllt8g-wnavoc', { channel: 'chat.support', sender: 'ann' }, ['a question']],
    ] as const;
    for (const [id, key, contents] of chats) {
      const { payload } = await operator.answerTo(operator.send('history', { limit: 10 }, { session_id: id }));
      const messages = payload['messages'] as { content: string; agent: string; blocks: unknown[]; status: string }[];
      expect(messages.map(({ content }) => content)).toEqual(contents);
      for (const { agent, status, blocks } of messages)
        expect([agent, status === 'observed' || blocks.length > 0]).toEqual(['main', true]);
      const ack = await say(operator, { ...key, content: '@openclaw again' });
      expect([ack.session_id, ack.payload['agent']]).toEqual([id, 'main']);
    }
  });
});

describe('two agents with two models', () => {
  it('[Z-11] never mix: names, prompts, tools, models, permissions and sessions, with a canary in each', async () => {
    const servers = { main: await ModelServer.start(), ops: await ModelServer.start() };
    for (const server of Object.values(servers)) open.push({ close: () => server.stop() });
    const canary = (of: string) => `canary-of-${of}`;
    const gateway = await start({
      providers: {
        one: servers.main.provider('openai-completions', { api_key: canary('key-main') }),
        two: servers.ops.provider('openai-completions', { api_key: canary('key-ops') }),
      },
      'agent.model': 'one/m',
      'agent.system_prompt': canary('prompt-main'),
      agents: {
        main: { tools: { deny: ['memory.*'] }, permissions: ['memory'] },
        ops: {
          name: 'olga',
          model: 'two/m',
          system_prompt: canary('prompt-ops'),
          permissions: ['memory'],
          tools: { allow: ['memory.save', 'memory.search'] },
        },
      },
      bindings: [{ agent: 'ops', channel: 'test', sender: 'olgas-friend' }],
    });
    const driver = await gateway.connect('d', TOKENS.driver);
    const people = { main: 'ann', ops: 'olgas-friend' } as const;
    for (const id of ['main', 'ops'] as const) {
      servers[id].answer({ content: canary(`answer-${id}`) }, { content: 'again' });
      const secret = `a secret for ${canary(`message-${id}`)}`;
      expect(await ask(driver, inChat({ sender: people[id], content: secret }))).toMatchObject({
        agent: id,
        text: canary(`answer-${id}`),
      });
      await ask(driver, inChat({ sender: people[id], content: 'and then?' }));
    }
    for (const [id, other] of [
      ['main', 'ops'],
      ['ops', 'main'],
    ] as const) {
      const { asked, bodies } = servers[id];
      const sent = bodies.join('\n');
      for (const of of ['prompt', 'message', 'answer']) {
        expect(sent).toContain(canary(`${of}-${id}`));
        expect(sent).not.toContain(canary(`${of}-${other}`));
      }
      const system = textOf(asked[0]!.messages.find(({ role }) => role === 'system')!.content);
      expect(system).toContain(id === 'main' ? '"openclaw"' : '"olga"');
      const tools = asked[0]!.tools.map((tool) => tool.function.name).filter((name) => name.startsWith('memory'));
      expect(tools).toEqual(id === 'ops' ? ['memory_save', 'memory_search'] : []);
    }
  });
});
