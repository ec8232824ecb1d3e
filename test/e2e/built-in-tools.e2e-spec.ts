import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FrameClient } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';

interface Outcome {
  readonly ok: boolean;
  readonly content: Record<string, never>;
}

let folder: string;
let gateway: GatewayApp;
let client: FrameClient;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'));
  const settings = {
    'tools.default_permissions': ['memory', 'http', 'shell', 'files'],
    'tools.sandbox.engine': 'none',
    'tools.sandbox.workspaces': join(folder, 'workspaces'),
  };
  gateway = await GatewayApp.start({ settings });
  client = await gateway.connect();
});
afterEach(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

/** Makes the built-in agent call a tool. Resolves with the content of its `tool_result`. */
async function call(tool: string, parameters: object = {}, sender = 'alice', message: object = {}): Promise<Outcome> {
  client.send('message_in', {
    channel: 'test',
    sender,
    content: `/tool ${tool} ${JSON.stringify(parameters)}`,
    ...message,
  });
  const block = await client.next(
    (frame) => frame.type === 'stream_block' && frame.payload['block_type'] === 'tool_result',
  );
  await client.next('stream_end');
  return JSON.parse(block.payload['content'] as string) as Outcome;
}

describe('the tools that come with the gateway', () => {
  it('[O-24] session.info returns the session and the tools that it may use', async () => {
    const { content } = await call('session.info');
    expect(content).toMatchObject({ mode: 'main', channel: 'test', participants: ['alice'] });
    expect(content['tools']).toEqual(
      expect.arrayContaining(['session.info', 'memory.save', 'shell.run', 'http.fetch', 'time.now']),
    );
  });

  it('[O-25] a session remembers', async () => {
    await call('memory.save', { text: 'Alice drinks green tea.' });
    await call('memory.save', { text: 'The meeting is on Monday.' });
    expect(await call('memory.search', { query: 'what does alice drink? (tea)' })).toMatchObject({
      ok: true,
      content: { memories: [{ text: 'Alice drinks green tea.' }] },
    });
    expect((await call('memory.search', { query: '' })).content['memories']).toHaveLength(2);
  });

  it('[O-26] another session does not know, unless it is linked', async () => {
    await call('memory.save', { text: 'Alice drinks green tea.' });
    expect(await call('memory.search', { query: 'tea' }, 'bob')).toMatchObject({ content: { memories: [] } });
    expect(
      await call('memory.search', { query: 'tea' }, 'alice', { group_id: 'team', is_direct_mention: true }),
    ).toMatchObject({ content: { memories: [] } });
  });

  it('[O-20] http.fetch does not reach the gateway itself', async () => {
    const { ok, content } = await call('http.fetch', { url: `${gateway.url}/health` });
    expect([ok, content['code']]).toEqual([false, 'TOOL_FAILED']);
    expect(content['message']).toContain('is not a public host');
  });

  it('[B-13] commands and files are refused without a sandbox engine', async () => {
    for (const [tool, parameters] of [
      ['shell.run', { command: 'id' }],
      ['files.list', {}],
      ['files.read', { path: 'a' }],
      ['files.write', { path: 'a', content: 'b' }],
    ] as const) {
      expect(await call(tool, parameters)).toMatchObject({
        ok: false,
        content: { code: 'TOOL_FAILED', message: expect.stringContaining('no sandbox engine') as string },
      });
    }
  });
});

describe('without permissions', () => {
  it.each([
    ['memory.save', { text: 'x' }],
    ['memory.search', { query: 'x' }],
    ['http.fetch', { url: 'http://example.org' }],
    ['shell.run', { command: 'id' }],
    ['files.read', { path: 'a' }],
  ])('[O-24] %s is denied', async (tool, parameters) => {
    await gateway.close();
    gateway = await GatewayApp.start();
    client = await gateway.connect();
    expect(await call(tool, parameters)).toMatchObject({ ok: false, content: { code: 'TOOL_DENIED' } });
  });
});
