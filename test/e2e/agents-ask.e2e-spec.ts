import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { SeenFrame } from '../support/frame-client.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { ModelServer, textOf } from '../support/model-server.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const gateway of open.splice(0).reverse()) await gateway.close();
});

/** `main` is the built-in agent, which calls the tools that a message names; the others have a model each. */
async function start(settings: Record<string, unknown> = {}, agents: Record<string, object> = {}) {
  const servers = { ops: await ModelServer.start(), cid: await ModelServer.start() };
  for (const server of Object.values(servers)) open.push({ close: () => server.stop() });
  const gateway = await GatewayApp.start({
    settings: {
      ...withTokens,
      providers: {
        one: servers.ops.provider('openai-completions'),
        two: servers.cid.provider('openai-completions'),
      },
      agents: {
        main: { permissions: ['agents', 'memory'] },
        ops: { name: 'olga', model: 'one/m', permissions: ['agents', 'memory', 'shell'] },
        cid: { model: 'two/m', permissions: ['agents'] },
        theirs: { tenant: 'acme' },
        ...agents,
      },
      ...settings,
    },
  });
  open.push(gateway);
  const client = await gateway.connect('c', TOKENS.operator);
  return { ...servers, gateway, client };
}

const send = (client: FrameClient, content: string) =>
  client.send('message_in', { channel: 'test', sender: 'ann', content });
const askFor = (client: FrameClient, agent: string, message = 'how are you?') =>
  send(client, `/tool agents.ask ${JSON.stringify({ agent, message })}`);

/** Resolves with the result of the tool call in the reply to a message. */
async function resultOf(client: FrameClient, id: string): Promise<{ ok: boolean; content: Record<string, string> }> {
  const isOf = ({ payload }: SeenFrame) => payload['message_id'] === id;
  const block = await client.next((frame) => isOf(frame) && frame.payload['block_type'] === 'tool_result');
  await client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
  return JSON.parse(block.payload['content'] as string) as { ok: boolean; content: Record<string, string> };
}
const ask = async (client: FrameClient, agent: string, message?: string) =>
  resultOf(client, askFor(client, agent, message));
const callOf = (agent: string) => ({
  toolCalls: [{ name: 'agents_ask', arguments: JSON.stringify({ agent, message: 'and you?' }), id: 'call_1' }],
});

/** Reads the session that a `tool_status` of the asking turn names. */
async function readPair(client: FrameClient) {
  const status = await client.next(({ type, payload }) => type === 'tool_status' && payload['status'] === 'progress');
  const session_id = /session (s_\S+)\)/.exec(status.payload['detail'] as string)![1]!;
  const history = await client.answerTo(client.send('history', { limit: 50 }, { session_id }));
  const messages = history.payload['messages'] as {
    message_id: string;
    agent: string;
    content: string;
    status: string;
  }[];
  return { status, session_id, messages };
}

describe('an agent that asks another', () => {
  it('[Z-16] gets its text blocks, from a session of the pair, and people see one tool_status with its name', async () => {
    const { client, ops } = await start();
    ops.answer({ content: 'Fine.' }, { content: 'Still fine.' });
    expect(await ask(client, 'ops')).toMatchObject({ ok: true, content: { agent: 'ops', answer: 'Fine.' } });
    const first = await readPair(client);
    expect(first.status.payload['detail']).toMatch(/^olga /);
    expect(first.messages).toMatchObject([{ agent: 'ops', content: 'how are you?', status: 'done' }]);
    expect(first.messages[0]!.message_id).toMatch(/^ask:c_/);
    expect(await ask(client, 'ops', 'and now?')).toMatchObject({ content: { answer: 'Still fine.' } });
    expect((await readPair(client)).session_id).toBe(first.session_id);
    expect(ops.said()).toContain('how are you?');
  });

  it('[Z-16] shows its session to those who may read the asking one, and to them only to read', async () => {
    const { ops, gateway } = await start();
    ops.answer({ content: 'Fine.' });
    const ann = await gateway.connect('a', TOKENS.alice);
    const by = (reader: FrameClient, type: 'history' | 'resume' | 'message_in', payload: object, session_id?: string) =>
      reader.answerTo(reader.send(type, payload, { ...(session_id && { session_id }) }));
    const content = `/tool agents.ask ${JSON.stringify({ agent: 'ops', message: 'how are you?' })}`;
    await resultOf(ann, ann.send('message_in', { channel: 'test', sender: 'alice', content }));
    const { session_id, messages } = await readPair(ann);
    expect(messages).toMatchObject([{ content: 'how are you?' }]);
    const bob = await gateway.connect('b', TOKENS.bob);
    expect(await by(bob, 'history', { limit: 9 }, session_id)).toMatchObject({ payload: { code: 'NOT_FOUND' } });
    const words = { channel: 'agent', sender: 'alice', content: 'x' };
    expect(await by(ann, 'message_in', words, session_id)).toMatchObject({ payload: { code: 'FORBIDDEN' } });
    const to = { sessions: [{ session_id, after_seq: 0 }] };
    expect(await by(ann, 'resume', to)).toMatchObject({ payload: { code: 'NOT_FOUND' } });
  });

  it('[Z-16] starts again after /reset of the asking session', async () => {
    const { client, ops } = await start();
    ops.answer({ content: 'Fine.' }, { content: 'Still fine.' });
    await ask(client, 'ops', 'the first question');
    const reset = send(client, '/reset');
    await client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === reset);
    await ask(client, 'ops', 'the second question');
    expect(ops.bodies.at(-1)).toContain('the second question');
    expect(ops.bodies.at(-1)).not.toContain('the first question');
  });

  it('[Z-17] runs in the slot of the turn that waits, so it is answered with every slot taken', async () => {
    const { client, ops, cid } = await start({ 'agent.concurrency': 1 });
    ops.answer(callOf('cid'), { content: 'cid says: 7' });
    cid.answer({ content: '7' });
    const waiting = client.send('message_in', { channel: 'test', sender: 'bob', content: '/blocks 1' });
    expect(await ask(client, 'ops')).toMatchObject({ ok: true, content: { answer: 'cid says: 7' } });
    await client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === waiting);
  });

  it('[Z-17] takes no slot from others while it waits', async () => {
    const { client, ops } = await start({ 'agent.concurrency': 2 });
    ops.answer({ response: { content: 'Fine.' }, latency: 1_000 });
    const asking = askFor(client, 'ops');
    await client.next(({ type, payload }) => type === 'tool_status' && payload['status'] === 'progress');
    await expect.poll(() => ops.asked.length).toBe(1);
    const other = client.send('message_in', { channel: 'test', sender: 'bob', content: '/blocks 1' });
    const ends = [];
    for (let i = 0; i < 2; i++) ends.push((await client.next('stream_end')).payload['id']);
    expect(ends).toEqual([other, asking]);
  });

  it.each([
    ['itself', 'main', /waits for this answer itself/],
    ['an agent of another tenant', 'theirs', /there is no agent theirs/],
    ['an unknown agent', 'ghost', /there is no agent ghost/],
    ['a malformed name', '../ops', /pattern|match/],
  ])('[Z-18] cannot ask %s', async (_, agent, message) => {
    const { client } = await start();
    const { ok, content } = await ask(client, agent);
    expect([ok, JSON.stringify(content)]).toEqual([false, expect.stringMatching(message) as string]);
  });

  it('[Z-18] cannot ask in a circle, nor deeper than two', async () => {
    const { client, ops, cid } = await start({}, { dan: { model: 'two/m', permissions: ['agents'] } });
    ops.answer(callOf('main'), { content: 'gave up' });
    expect(await ask(client, 'ops')).toMatchObject({ content: { answer: 'gave up' } });
    expect(ops.bodies.at(-1)).toContain('waits for this answer itself');
    ops.answer(callOf('cid'), { content: 'done' });
    cid.answer(callOf('dan'), { content: 'too deep' });
    expect(await ask(client, 'ops')).toMatchObject({ content: { answer: 'done' } });
    expect(cid.bodies.at(-1)).toContain('at most 2 agents may wait');
  });

  it('[Z-18] learns from its prompt which agents it can ask, and nothing of other tenants', async () => {
    const { client, ops } = await start(
      {},
      { cid: { description: 'Counts.' }, theirs: { tenant: 'acme', model: 'two/m' } },
    );
    ops.answer({ content: 'Fine.' });
    await ask(client, 'ops');
    const [system] = ops.asked[0]!.messages;
    expect(textOf(system!.content)).toContain('Agents that can be asked with agents_ask, by ID:\n- cid: Counts.\n');
    expect(ops.bodies[0]).not.toContain('theirs');
    expect(await ask(client, 'ghost')).toMatchObject({
      content: { message: expect.stringContaining('there is no agent ghost; there are ops, cid') as string },
    });
  });

  it('[Z-19] needs the permission agents, or that for the one agent', async () => {
    const { client, ops } = await start({}, { main: { permissions: ['agents:ops'] } });
    ops.answer({ content: 'Fine.' });
    expect(await ask(client, 'ops')).toMatchObject({ ok: true });
    expect(await ask(client, 'cid')).toMatchObject({ ok: false, content: { code: 'TOOL_DENIED' } });
    const none = await start({}, { main: { permissions: [] } });
    expect(await ask(none.client, 'ops')).toMatchObject({ ok: false, content: { code: 'TOOL_DENIED' } });
  });

  it('[Z-19] lends the asked agent nothing, and takes what it does not hold itself', async () => {
    const { client, ops } = await start();
    ops.answer({ content: 'Fine.' });
    await ask(client, 'ops');
    const offered = ops.asked[0]!.tools.map((tool) => tool.function.name);
    expect(offered).toEqual(expect.arrayContaining(['memory_save', 'agents_ask']));
    expect(offered.filter((name) => name.startsWith('shell'))).toEqual([]);
  });

  it('[Z-19] takes no skills from the asked agent, which are its own', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skills-'));
    mkdirSync(join(folder, 'tea'));
    writeFileSync(join(folder, 'tea/SKILL.md'), '---\nname: tea\ndescription: Makes tea.\n---\nBoil water.\n');
    const { client, ops } = await start({}, { ops: { model: 'one/m', permissions: [], skills: [folder] } });
    ops.answer(
      { toolCalls: [{ name: 'skills_read', arguments: '{"name":"tea"}', id: 'call_1' }] },
      { content: 'Brewed.' },
    );
    expect(await ask(client, 'ops')).toMatchObject({ content: { answer: 'Brewed.' } });
    expect(textOf(ops.asked[0]!.messages[0]!.content)).toContain('- tea: Makes tea.');
    expect(ops.bodies.at(-1)).toContain('Boil water.');
    rmSync(folder, { recursive: true });
  });

  it('[Z-20] gets a failed result when the other one fails, and goes on', async () => {
    const { client, ops } = await start();
    ops.answer({ error: { message: 'no', type: 'invalid_request_error' }, status: 400 });
    const { ok, content } = await ask(client, 'ops');
    expect([ok, content['code']]).toEqual([false, 'TOOL_FAILED']);
    expect(content['message']).toContain('olga gave no answer');
  });

  it('[Z-20] cancels its question when it is cancelled', async () => {
    const { client, ops } = await start();
    ops.answer({ response: { content: 'late' }, latency: 30_000 });
    const id = askFor(client, 'ops');
    await expect.poll(() => ops.asked.length).toBe(1);
    client.send('cancel', { message_id: id });
    const end = await client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
    expect(end.payload['reason']).toBe('cancelled');
    const { session_id } = await readPair(client);
    await expect
      .poll(async () => {
        const history = await client.answerTo(client.send('history', { limit: 5 }, { session_id }));
        return (history.payload['messages'] as { status: string }[]).map(({ status }) => status);
      })
      .toEqual(['cancelled']);
  });

  it('[Z-20] ends its question with its own time limit', async () => {
    const { client, ops } = await start({}, { main: { permissions: ['agents'], turn_timeout_ms: 2_000 } });
    ops.answer({ response: { content: 'late' }, latency: 30_000 });
    const id = askFor(client, 'ops');
    const end = await client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
    expect(end.payload['error']).toMatchObject({ code: 'AGENT_FAILED' });
    await expect.poll(() => ops.abandoned).toBe(1);
  });

  it('[Z-20] gets a failed result when the other one takes longer than it may, or is cancelled alone', async () => {
    const { client, ops } = await start({}, { ops: { name: 'olga', model: 'one/m', turn_timeout_ms: 300 } });
    ops.answer({ response: { content: 'late' }, latency: 30_000 });
    const slow = await ask(client, 'ops');
    expect([slow.ok, slow.content['message']]).toEqual([false, expect.stringContaining('no answer within 300 ms')]);
    const other = await start();
    other.ops.answer({ response: { content: 'late' }, latency: 30_000 });
    const id = askFor(other.client, 'ops');
    await expect.poll(() => other.ops.asked.length).toBe(1);
    const { session_id } = await readPair(other.client);
    other.client.send('cancel', {}, { session_id });
    const cancelled = await resultOf(other.client, id);
    expect([cancelled.ok, cancelled.content['message']]).toEqual([false, expect.stringContaining('cancelled')]);
  });

  it('[Z-31] has the approvals that the other one needs in its own session, where the person decides', async () => {
    const { gateway, ops } = await start({ 'tools.approvals': ['memory.save'], 'agent.concurrency': 1 });
    const [alice, bob] = [await gateway.connect('a', TOKENS.alice), await gateway.connect('b', TOKENS.bob)];
    const call = { name: 'memory_save', arguments: '{"text":"tea"}', id: 'call_1' };
    ops.answer({ toolCalls: [call] }, { content: 'Saved.' });
    const content = '/tool agents.ask {"agent":"ops","message":"keep it"}';
    const id = alice.send('message_in', { channel: 'test', sender: 'alice', content });
    const { session_id, payload } = await alice.next((frame) => frame.payload['status'] === 'awaiting_approval');
    expect(payload).toMatchObject({ message_id: id, tool: 'memory.save', agent: 'ops' });
    const other = bob.send('message_in', { channel: 'test', sender: 'bob', content: 'hello' });
    await bob.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === other);

    const { approval_id, arguments_sha256 } = payload['approval'] as Record<string, string>;
    const decision = { approval_id, arguments_sha256, decision: 'allow' };
    expect((await bob.answerTo(bob.send('approval', decision))).payload['code']).toBe('NOT_FOUND');
    const again = await gateway.connect('again', TOKENS.alice);
    again.send('resume', { sessions: [{ session_id, after_seq: 0 }] });
    await again.next(
      (frame) => (frame.payload['approval'] as typeof decision | undefined)?.approval_id === approval_id,
    );
    again.send('approval', decision);
    expect(await resultOf(alice, id)).toMatchObject({ ok: true, content: { answer: 'Saved.' } });
    const states = again.unread.filter(({ payload: each }) => each['call_id'] === payload['call_id']);
    expect(states.map(({ payload: each }) => [each['agent'], each['status']])).toEqual([
      ['ops', 'running'],
      ['ops', 'succeeded'],
    ]);
  });

  it('[Z-20] asks a text: no command is read in it', async () => {
    const { client, ops } = await start({}, { other: { permissions: [] } });
    ops.answer({ content: 'unused' });
    const { ok, content } = await ask(client, 'other', '/fail');
    expect([ok, content['answer']]).toEqual([true, expect.stringContaining('/fail') as string]);
  });
});
