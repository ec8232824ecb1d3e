import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameClient, type SeenFrame } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { ModelServer } from '../support/model-server.js';

const MODULE = fileURLToPath(new URL('effects.module.mjs', import.meta.url));

interface Expectation {
  readonly failpoint: string;
  /** The number of requests for each of the two answers, over both lives. */
  readonly asked: readonly [first: number, second: number];
  readonly effects: number;
  readonly outcome: 'succeeded' | 'unknown';
}

let folder: string;
let server: ModelServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'model-crash-'));
  server = await ModelServer.start();
  const first = {
    content: 'I look it up.\n\nA moment.',
    toolCalls: [{ name: 'test_effect', arguments: '{}', id: 'call_1' }],
  };
  server.mock.on({ hasToolResult: false }, first, { chunkSize: 6 });
  server.mock.on({ hasToolResult: true }, { content: 'It is done.\n\nAll of it.' }, { chunkSize: 6 });
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function startGateway(failpoint?: string, env: Readonly<Record<string, string>> = {}): GatewayProcess {
  return new GatewayProcess({
    folder,
    module: MODULE,
    env: {
      OPENCLAW_AGENT_MODEL: 'local/test-model',
      OPENCLAW_PROVIDERS: JSON.stringify({ local: server.provider('openai-completions') }),
      ...(failpoint === undefined ? {} : { OPENCLAW_FAILPOINT: failpoint }),
      ...env,
    },
  });
}

/** Sends messages to a gateway that dies while it handles them. */
async function dieOf(
  failpoint: string,
  contents: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<void> {
  const gateway = startGateway(failpoint, env);
  const client = await FrameClient.open(await gateway.port, '?client_id=crash');
  await client.next('connected');
  for (const [i, content] of contents.entries())
    client.send('message_in', { channel: 'crash', sender: 'ann', content }, { id: `m${i + 1}` });
  const { signal } = await gateway.exited;
  expect(signal, gateway.output).toBe('SIGKILL');
}

/** All durable frames of the session, read after the second life has ended its messages. */
async function readLog(messages: number, env?: Readonly<Record<string, string>>): Promise<SeenFrame[]> {
  const gateway = startGateway(undefined, env);
  try {
    const client = await FrameClient.open(await gateway.port, '?client_id=crash');
    await client.next('connected');
    client.send('resume');
    const log: SeenFrame[] = [];
    while (log.filter(({ type }) => type === 'stream_end').length < messages)
      log.push(await client.next((frame) => frame.seq !== undefined));
    return log;
  } finally {
    await gateway.end();
  }
}

function standingBlocks(log: readonly SeenFrame[]): SeenFrame['payload'][] {
  let standing: SeenFrame[] = [];
  for (const frame of log) {
    if (frame.type === 'stream_block') standing.push(frame);
    if (frame.type === 'stream_restart')
      standing = standing.filter((block) => (block.seq ?? 0) < (frame.payload['replaces_from_seq'] as number));
  }
  return standing.map(({ payload }) => payload);
}

describe('a turn with a model, killed with SIGKILL', () => {
  it.each<Expectation>([
    { failpoint: 'model.mid_stream:1', asked: [2, 1], effects: 1, outcome: 'succeeded' },
    { failpoint: 'model.before_journal:1', asked: [2, 1], effects: 1, outcome: 'succeeded' },
    { failpoint: 'tool.after_intent:1', asked: [1, 1], effects: 0, outcome: 'unknown' },
    { failpoint: 'tool.after_effect:1', asked: [1, 1], effects: 1, outcome: 'unknown' },
    { failpoint: 'model.mid_stream:3', asked: [1, 2], effects: 1, outcome: 'succeeded' },
    { failpoint: 'model.before_journal:2', asked: [1, 2], effects: 1, outcome: 'succeeded' },
  ])(
    '[R-08] at $failpoint requests no recorded answer again and repeats no effect',
    async ({ failpoint, asked, effects, outcome }) => {
      await dieOf(failpoint, ['please do it']);
      const log = await readLog(1);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
      expect(log.filter(({ type }) => type === 'stream_end').map(({ payload }) => payload['reason'])).toEqual(['stop']);
      expect(standingBlocks(log).map((block) => block['block_type'])).toEqual([
        'text',
        'text',
        'tool_call',
        'tool_result',
        'text',
        'text',
      ]);
      expect(log.findLast(({ type }) => type === 'tool_status')?.payload['status']).toBe(outcome);
      const second = server.asked.filter(({ messages }) => messages.some(({ role }) => role === 'tool')).length;
      expect([server.asked.length - second, second]).toEqual(asked);
      const path = join(folder, 'effects.log');
      expect(existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0).toBe(effects);
    },
  );

  it.each(['steer', 'collect'])(
    '[C-20] with %s ends each of its messages once, and answers all of them',
    async (policy) => {
      const env = { OPENCLAW_QUEUE_BUSY_POLICY: policy };
      const contents = ['the first', 'the second', 'the third'];
      for (const failpoint of ['model.mid_stream:1', 'tool.after_effect:1']) await dieOf(failpoint, contents, env);
      const log = await readLog(3, env);
      const ends = log.filter(({ type }) => type === 'stream_end').map(({ payload }) => payload);
      expect(ends.map((end) => end['id'] as string).toSorted((a, b) => a.localeCompare(b))).toEqual(['m1', 'm2', 'm3']);
      const answered = ends.filter(({ reason }) => reason === 'stop').map((end) => end['message_ref']);
      const merged = ends.filter(({ reason }) => reason === 'merged');
      expect(answered.length + merged.length).toBe(3);
      expect(merged.every((end) => answered.includes(end['merged_into'] as string))).toBe(true);
      for (const content of contents) expect(server.said()).toContain(content);
    },
  );
});
