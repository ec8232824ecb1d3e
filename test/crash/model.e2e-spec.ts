import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameClient, type SeenFrame } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { ModelServer } from '../support/model-server.js';

const SCRIPT = fileURLToPath(new URL('gateway-with-effects.mjs', import.meta.url));

interface Expectation {
  readonly failpoint: string;
  /** How often each of the two answers is asked for, over both lives. */
  readonly asked: readonly [first: number, second: number];
  readonly effects: number;
  readonly outcome: 'succeeded' | 'unknown';
}

let folder: string;
let server: ModelServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'model-crash-'));
  server = await ModelServer.start();
  const first = { content: 'I look it up.\n\nA moment.', toolCalls: [{ name: 'test_effect', arguments: '{}', id: 'call_1' }] };
  server.mock.on({ hasToolResult: false }, first, { chunkSize: 6 });
  server.mock.on({ hasToolResult: true }, { content: 'It is done.\n\nAll of it.' }, { chunkSize: 6 });
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function startGateway(failpoint?: string): GatewayProcess {
  return new GatewayProcess({
    folder,
    script: SCRIPT,
    env: {
      OPENCLAW_AGENT_MODEL: 'local/test-model',
      OPENCLAW_PROVIDERS: JSON.stringify({ local: server.provider('openai-completions') }),
      ...(failpoint === undefined ? {} : { OPENCLAW_FAILPOINT: failpoint }),
    },
  });
}

/** Sends one message to a gateway that dies of it. */
async function dieOf(failpoint: string): Promise<void> {
  const gateway = startGateway(failpoint);
  const client = await FrameClient.open(await gateway.port, '?client_id=crash');
  await client.next('connected');
  client.send('message_in', { channel: 'crash', sender: 'ann', content: 'please do it' }, { id: 'm1' });
  const { signal } = await gateway.exited;
  expect(signal, gateway.output).toBe('SIGKILL');
}

/** All durable frames of the message, read after the second life has ended it. */
async function readLog(): Promise<SeenFrame[]> {
  const gateway = startGateway();
  try {
    const client = await FrameClient.open(await gateway.port, '?client_id=crash');
    await client.next('connected');
    client.send('resume');
    const log: SeenFrame[] = [];
    while (log.at(-1)?.type !== 'stream_end') log.push(await client.next((frame) => frame.seq !== undefined));
    return log;
  } finally {
    await gateway.end();
  }
}

function standingBlocks(log: readonly SeenFrame[]): SeenFrame['payload'][] {
  let standing: SeenFrame[] = [];
  for (const frame of log) {
    if (frame.type === 'stream_block') standing.push(frame);
    if (frame.type === 'stream_restart') standing = standing.filter((block) => (block.seq ?? 0) < (frame.payload['replaces_from_seq'] as number));
  }
  return standing.map(({ payload }) => payload);
}

describe('a turn with a model, killed with SIGKILL', { timeout: 60_000 }, () => {
  it.each<Expectation>([
    { failpoint: 'model.mid_stream:1', asked: [2, 1], effects: 1, outcome: 'succeeded' },
    { failpoint: 'model.before_journal:1', asked: [2, 1], effects: 1, outcome: 'succeeded' },
    { failpoint: 'tool.after_intent:1', asked: [1, 1], effects: 0, outcome: 'unknown' },
    { failpoint: 'tool.after_effect:1', asked: [1, 1], effects: 1, outcome: 'unknown' },
    { failpoint: 'model.mid_stream:3', asked: [1, 2], effects: 1, outcome: 'succeeded' },
    { failpoint: 'model.before_journal:2', asked: [1, 2], effects: 1, outcome: 'succeeded' },
  ])('[R-08] at $failpoint asks for no recorded answer again and has no effect twice', async ({ failpoint, asked, effects, outcome }) => {
    await dieOf(failpoint);
    const log = await readLog();
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
    expect(log.filter(({ type }) => type === 'stream_end').map(({ payload }) => payload['reason'])).toEqual(['stop']);
    expect(standingBlocks(log).map((block) => block['block_type'])).toEqual(['text', 'text', 'tool_call', 'tool_result', 'text', 'text']);
    expect(log.findLast(({ type }) => type === 'tool_status')?.payload['status']).toBe(outcome);
    const second = server.asked.filter(({ messages }) => messages.some(({ role }) => role === 'tool')).length;
    expect([server.asked.length - second, second]).toEqual(asked);
    const path = join(folder, 'effects.log');
    expect(existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0).toBe(effects);
  });
});
