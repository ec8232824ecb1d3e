import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FAILPOINTS, type Failpoint } from '../../src/core/failpoints/failpoint.js';
import { FrameClient, type SeenFrame } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { ModelServer } from '../support/model-server.js';

const MODULE = fileURLToPath(new URL('effects.module.mjs', import.meta.url));

/** The question is stored, its tool has taken effect, its answer is committed: and the asking turn knows nothing of it. */
const TELLING: readonly Failpoint[] = ['enqueue.after_commit', 'tool.after_effect', 'finish.after_commit'];
const ON_THE_WAY = FAILPOINTS.filter((name) => name !== 'config.mid' && name !== 'migrate.mid');
/** In each life the process dies at this pass of the failpoint. */
const PASSES = process.env['LONG'] ? [1, 2, 3, 5] : [1, 2, 3];

interface HistoryMessage {
  readonly message_id: string;
  readonly content: string;
  readonly status: string;
  readonly blocks: readonly { readonly block_type: string; readonly content: string }[];
}

let folder: string;
let server: ModelServer;
const started: GatewayProcess[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ask-crash-'));
  server = await ModelServer.start();
  const call = { content: 'I do it.', toolCalls: [{ name: 'test_effect', arguments: '{}', id: 'call_1' }] };
  server.mock.on({ hasToolResult: false }, call, { chunkSize: 4 });
  server.mock.on({ hasToolResult: true }, { content: 'It is done.' }, { chunkSize: 4 });
});
afterEach(async () => {
  for (const gateway of started.splice(0)) await gateway.end();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `main` is the built-in agent, which asks `ops`, which has a model and a tool with effects. */
function startGateway(failpoint?: string, env: Readonly<Record<string, string>> = {}): GatewayProcess {
  const gateway = new GatewayProcess({
    folder,
    module: MODULE,
    env: {
      // One slot, so that every question runs in the slot of its asker.
      OPENCLAW_AGENT_CONCURRENCY: '1',
      OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
      OPENCLAW_GATEWAY_DRAIN_TIMEOUT_MS: '0',
      OPENCLAW_AGENTS: JSON.stringify({ main: { permissions: ['agents'] }, ops: { model: 'local/m' } }),
      OPENCLAW_PROVIDERS: JSON.stringify({ local: server.provider('openai-completions') }),
      ...(failpoint === undefined ? {} : { OPENCLAW_FAILPOINT: failpoint }),
      ...env,
    },
  });
  started.push(gateway);
  return gateway;
}

/** Sends the messages of `count` people, again or for the first time. Resolves with their sessions. */
async function sendAll(client: FrameClient, count: number): Promise<string[]> {
  const sessions: string[] = [];
  for (let n = 0; n < count; n++) {
    const content = `/tool agents.ask {"agent":"ops","message":"question ${n}"}`;
    client.send('message_in', { channel: 'crash', sender: `person ${n}`, content }, { id: `m${n}` });
    const ack = await client.next(({ type, payload }) => type === 'message_ack' && payload['id'] === `m${n}`);
    sessions.push(ack.session_id!);
  }
  return sessions;
}

async function readHistory(client: FrameClient, session_id: string): Promise<readonly HistoryMessage[]> {
  const page = await client.answerTo(client.send('history', { limit: 50 }, { session_id }));
  return page.payload['messages'] as HistoryMessage[];
}

async function untilAllEnded(client: FrameClient, sessions: readonly string[]): Promise<void> {
  for (const session of sessions) {
    while ((await readHistory(client, session)).some(({ status }) => status !== 'done'))
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Reads the log of a session whose messages have ended. */
async function readLog(client: FrameClient, session_id: string): Promise<SeenFrame[]> {
  const id = client.send('resume', { sessions: [{ session_id, after_seq: 0 }] });
  const { payload } = await client.answerTo(id);
  const log: SeenFrame[] = [];
  while (log.length < (payload['head_seq'] as number))
    log.push(await client.next((frame) => frame.session_id === session_id && frame.seq !== undefined));
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
  return log;
}

/** Runs one life, until the process dies at the failpoint; one that has outlived its work is killed. */
async function live(failpoint: string, count: number): Promise<void> {
  const gateway = startGateway(failpoint);
  const work = async () => {
    const client = await gateway.connect('crash');
    const sessions = await sendAll(client, count);
    if (failpoint.startsWith('drain')) gateway.kill('SIGTERM');
    await untilAllEnded(client, sessions);
  };
  // It may die at any moment, which ends the connection.
  await Promise.race([work().catch(() => gateway.exited), gateway.exited]);
  gateway.kill();
  expect((await gateway.exited).signal, gateway.output).toBe('SIGKILL');
}

function readEffects(): readonly string[] {
  const path = join(folder, 'effects.log');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

const resultsOf = ({ blocks }: HistoryMessage) =>
  blocks
    .filter(({ block_type: type }) => type === 'tool_result')
    .map(({ content }) => JSON.parse(content) as { call_id: string; ok: boolean; status: string; content: unknown });

/** Asserts one question with one answer for one person. Returns its call with effects, and whether it must have had one. */
async function checkQuestion(
  client: FrameClient,
  session: string,
  n: number,
): Promise<{ callId: string; isDone: boolean }> {
  const ends = (log: readonly SeenFrame[]) => log.filter(({ type }) => type === 'stream_end');
  const log = await readLog(client, session);
  expect(ends(log).map(({ payload }) => [payload['id'], payload['reason']])).toEqual([[`m${n}`, 'stop']]);
  const [asking] = await readHistory(client, session);
  expect(resultsOf(asking!)).toMatchObject([
    { ok: true, content: { agent: 'ops', answer: expect.stringContaining('It is done.') as string } },
  ]);
  const detail = log.find(({ type, payload }) => type === 'tool_status' && payload['status'] === 'progress')!.payload[
    'detail'
  ];
  const pair = /session (s_\S+)\)/.exec(detail as string)![1]!;
  const asked = await readHistory(client, pair);
  expect(asked.map(({ content, status }) => [content, status])).toEqual([[`question ${n}`, 'done']]);
  expect(ends(await readLog(client, pair)).map(({ payload }) => payload['id'])).toEqual([asked[0]!.message_id]);
  const [effect, ...others] = resultsOf(asked[0]!);
  expect(others).toEqual([]);
  expect(effect!.status).toMatch(/^(succeeded|unknown)$/);
  return { callId: effect!.call_id, isDone: effect!.status === 'succeeded' };
}

describe('a gateway killed with SIGKILL while an agent asks another', () => {
  it.each(process.env['LONG'] ? ON_THE_WAY : TELLING)(
    '[Z-21] at %s asks each question once, answers it once and repeats no effect',
    async (name) => {
      for (const [life, pass] of PASSES.entries()) await live(`${name}:${name === 'drain.mid' ? 1 : pass}`, life + 1);
      const gateway = startGateway();
      const client = await gateway.connect('crash');
      const sessions = await sendAll(client, PASSES.length);
      await untilAllEnded(client, sessions);
      // The first connection has got frames of these sessions live.
      const reader = await gateway.connect('crash');
      const calls = [];
      for (const [n, session] of sessions.entries()) calls.push(await checkQuestion(reader, session, n));
      const effects = readEffects();
      expect(new Set(effects).size).toBe(effects.length);
      expect(calls.map(({ callId }) => callId)).toEqual(expect.arrayContaining([...effects]));
      expect(effects).toEqual(expect.arrayContaining(calls.flatMap(({ callId, isDone }) => (isDone ? [callId] : []))));
      // Two answers for each question, and at most one that a death has lost.
      expect(server.asked.length).toBeLessThanOrEqual(3 * PASSES.length);
      expect(gateway.output).not.toMatch(/"level":"error"/);
    },
  );

  it.each([
    ['while it waits', undefined, ['awaiting_approval', 'running', 'succeeded']],
    ['after the effect that was allowed', 'tool.after_effect:1', ['running', 'unknown']],
  ])('[Z-31] an approval of the asked agent, killed %s, starts its call once', async (_, failpoint, states) => {
    const env = { OPENCLAW_TOOLS_APPROVALS: '["test.effect"]' };
    const isAsked = ({ payload }: SeenFrame) => payload['status'] === 'awaiting_approval';
    const allow = (client: FrameClient, { payload }: SeenFrame) => {
      const { approval_id, arguments_sha256 } = payload['approval'] as Record<string, string>;
      client.send('approval', { approval_id, arguments_sha256, decision: 'allow' });
    };
    const dying = startGateway(failpoint, env);
    const first = await dying.connect('crash');
    const [session_id] = await sendAll(first, 1);
    const asked = await first.next(isAsked);
    if (failpoint) allow(first, asked);
    else dying.kill();
    expect((await dying.exited).signal).toBe('SIGKILL');

    const gateway = startGateway(undefined, env);
    const client = await gateway.connect('crash');
    client.send('resume', { sessions: [{ session_id, after_seq: asked.seq }] });
    if (!failpoint) {
      const again = await client.next(isAsked);
      expect(again.payload['approval']).toEqual(asked.payload['approval']);
      allow(client, again);
      client.unread.unshift(again);
    }
    await client.next('stream_end');
    const seen = client.unread.filter(({ payload }) => payload['agent'] === 'ops' && payload['tool'] === 'test.effect');
    expect(seen.map(({ payload }) => payload['status'])).toEqual(states);
    expect(readEffects()).toHaveLength(1);
  });
});
