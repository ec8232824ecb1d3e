import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FrameClient, SeenFrame } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';

interface Block {
  readonly block_type: string;
  readonly content: string;
  readonly metadata?: Record<string, unknown>;
}

/** The frames about one message. */
interface Outcome {
  readonly frames: readonly SeenFrame[];
  readonly blocks: readonly Block[];
  readonly end: Record<string, unknown>;
}

describe('the built-in agent', () => {
  let gateway: GatewayApp;
  let client: FrameClient;
  let messages = 0;

  beforeAll(async () => {
    gateway = await GatewayApp.start();
    client = await gateway.connect();
  });
  afterAll(() => gateway.close());

  async function ask(content: string, sender = `sender-${++messages}`): Promise<Outcome> {
    const id = client.send('message_in', { channel: 'test', sender, content });
    const end = await client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
    const frames = client.unread.splice(0).filter((frame) => frame.payload['message_id'] === id);
    const blocks = frames
      .filter((frame) => frame.type === 'stream_block')
      .map((frame) => frame.payload as unknown as Block);
    return { frames, blocks, end: end.payload };
  }

  /** The text of an answer that is one status block. */
  async function askStatus(content: string): Promise<string> {
    const { blocks, end } = await ask(content);
    expect(end).toMatchObject({ reason: 'stop', blocks: 1 });
    expect(blocks.map((block) => block.block_type)).toEqual(['status']);
    return blocks[0]!.content;
  }

  it.each([
    'hello',
    'two\n\nparagraphs',
    '```ts\nan open fence',
    '  spaces  ',
    '<script>alert(1)</script>',
    '🦞'.repeat(2_000),
    'not a /command',
  ])('[A-01] answers %j with that text and how to configure a model, in one markdown block', async (content) => {
    const { blocks, end } = await ask(content);
    expect(end).toMatchObject({ reason: 'stop', blocks: 1 });
    expect(blocks).toHaveLength(1);
    expect(blocks[0]!.block_type).toBe('markdown');
    expect(blocks[0]!.content).toContain(content);
    expect(blocks[0]!.content).toContain('agent.model');
  });

  it('[A-02] shows its commands, the state of the conversation, and the tools', async () => {
    expect(await askStatus('/help')).toMatch(/\/blocks N.*\/wait MS.*\/reset/s);
    expect(await askStatus('/status')).toMatch(/session: \S+ \(main, channel test\)/);
    expect(await askStatus('/tools')).toMatch(/^time\.now: /m);
  });

  it.each([
    '/blocks',
    '/blocks 0',
    '/blocks x',
    '/blocks 10001',
    '/blocks 1 60001',
    '/wait',
    '/wait -1',
    '/wait 60001',
    '/wait soon',
    '/tool',
    '/tool time.now {"zone":',
  ])('[A-03] answers %s with the allowed use', async (command) => {
    expect(await askStatus(command)).toContain('Usage: /');
  });

  it('[A-03] answers a tool call whose parameters nest without end with the allowed use', async () => {
    expect(await askStatus(`/tool time.now ${'['.repeat(60_000)}`)).toContain('Usage: /tool NAME');
  });

  it('[A-04] calls a tool through the registry, with progress frames and blocks for call and result', async () => {
    const { frames, blocks, end } = await ask('/tool time.now {}');
    const statuses = frames.filter((frame) => frame.type === 'tool_status').map((frame) => frame.payload['status']);
    expect(statuses).toEqual(['requested', 'running', 'succeeded']);
    expect(blocks.map((block) => block.block_type)).toEqual(['tool_call', 'tool_result']);
    const [call, result] = blocks.map((block) => JSON.parse(block.content) as Record<string, unknown>);
    expect(call).toMatchObject({ tool: 'time.now', parameters: {} });
    expect(result).toMatchObject({ call_id: call!['call_id'], ok: true });
    expect(end).toMatchObject({ reason: 'stop', blocks: 2 });
  });

  it.each([
    ['/tool no.such', 'failed', 'TOOL_NOT_FOUND'],
    ['/tool Time.Now', 'failed', 'TOOL_NOT_FOUND'],
    ['/tool time.now {"colour":"red"}', 'failed', 'TOOL_INVALID_PARAMETERS'],
  ])('[A-05] reports with %s that the call %s, and why', async (command, status, code) => {
    const { frames, blocks, end } = await ask(command);
    expect(frames.filter((frame) => frame.type === 'tool_status').at(-1)?.payload['status']).toBe(status);
    expect(blocks.at(-1)?.content).toContain(code);
    expect(end['reason']).toBe('stop');
  });

  it('[A-06] streams the requested number of blocks', async () => {
    const { blocks, end } = await ask('/blocks 1000');
    expect(blocks.map((block) => block.content)).toEqual(Array.from({ length: 1_000 }, (_, i) => `block ${i + 1}`));
    expect(end).toMatchObject({ reason: 'stop', blocks: 1_000 });
  });

  it('[A-06] waits between blocks, and stops at a cancel with the blocks sent so far', async () => {
    const id = client.send('message_in', { channel: 'test', sender: 'patient', content: '/blocks 3 60000' });
    await client.next((frame) => frame.type === 'stream_block' && frame.payload['message_id'] === id);
    client.send('cancel', { message_id: id });
    const end = await client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
    expect(end.payload).toMatchObject({ reason: 'cancelled', blocks: 1 });
  });

  it('[A-07] waits for the requested time, as a turn like any other', async () => {
    const id = client.send('message_in', { channel: 'test', sender: 'waiter', content: '/wait 60000' });
    await client.answerTo(id);
    const behind = client.send('message_in', { channel: 'test', sender: 'waiter', content: '/wait 1' });
    expect((await client.answerTo(behind)).payload).toMatchObject({ position: 0 });
    client.send('cancel', { message_id: id });
    const ends = [await client.next('stream_end'), await client.next('stream_end')];
    expect(ends.map((end) => [end.payload['id'], end.payload['reason']])).toEqual([
      [id, 'cancelled'],
      [behind, 'stop'],
    ]);
    const block = client.unread
      .splice(0)
      .find((frame) => frame.payload['message_id'] === behind && frame.type === 'stream_block');
    expect(block?.payload['content']).toBe('waited 1');
  });

  it('[A-08] shows a block of each type that needs no tool', async () => {
    const { blocks, end } = await ask('/demo');
    expect(blocks.map((block) => block.block_type)).toEqual([
      'text',
      'markdown',
      'code',
      'canvas',
      'image',
      'audio',
      'status',
    ]);
    expect(blocks[2]).toMatchObject({ content: 'const answer = 42;', metadata: { language: 'ts' } });
    for (const block of blocks.slice(4, 6)) {
      expect(block.content).toMatch(/^data:/);
      expect(block.metadata).toMatchObject({
        mime_type: expect.any(String) as string,
        alt: expect.any(String) as string,
      });
    }
    expect(end).toMatchObject({ reason: 'stop', blocks: 7 });
  });

  it('[A-08] fails on request', async () => {
    const { end } = await ask('/fail');
    expect(end).toMatchObject({ reason: 'error', error: { code: 'AGENT_FAILED', retryable: false } });
  });

  it('[E-08] names the request in every response, and the session in every frame of a session', async () => {
    const { frames } = await ask('/tool time.now');
    expect(frames.length).toBeGreaterThan(3);
    expect(new Set(frames.map((frame) => frame.session_id)).size).toBe(1);
    expect(
      frames.every((frame) => frame.session_id !== undefined && frame.correlation_id === frame.payload['message_id']),
    ).toBe(true);
    const refused = client.send('history', { limit: 1 }, { session_id: 'nowhere' });
    expect(await client.answerTo(refused)).toMatchObject({ type: 'error', payload: { code: 'NOT_FOUND' } });
  });

  it('[T-49] leaves pings to the gateway, which answers each with a pong', async () => {
    const id = client.send('ping');
    expect(await client.answerTo(id)).toMatchObject({ type: 'pong', payload: {} });
  });
});
