import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptLogs } from '../../src/testing/kept-logs.js';
import { FakePlatform, PigeonDriver } from '../../src/testing/fake-platform.js';
import { eventually } from '../support/eventually.js';
import { expectTime } from '../support/expect-time.js';
import type { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { ModelServer } from '../support/model-server.js';
import { PlatformModule } from '../support/platform-app.js';
import { TraceCollector } from '../support/trace-collector.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
/** Time that the stop may take because of a collector that does not answer, with some for a busy machine, in milliseconds. */
const MAX_STOP_MS = 4_000;

let collector: TraceCollector;
let gateway: GatewayApp | undefined;
let folder: string;

beforeEach(async () => {
  collector = await TraceCollector.start();
  folder = mkdtempSync(join(tmpdir(), 'traces-'));
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await collector.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings: Readonly<Record<string, unknown>> = {}, logs = new KeptLogs()) {
  gateway = await GatewayApp.start({
    logs,
    settings: { ...withTokens, 'telemetry.traces.endpoint': collector.endpoint, ...settings },
  });
  return gateway;
}

/** Ends the gateway, so that it exports what it has. */
async function stop(): Promise<void> {
  await gateway?.close();
  gateway = undefined;
}

async function say(client: FrameClient, content: string, metadata?: object) {
  const payload = { channel: 'test', sender: 'alice', content, ...(metadata && { metadata }) };
  const id = client.send('message_in', payload);
  return client.next((frame) => frame.type === 'stream_end' && frame.correlation_id === id);
}

describe('the trace context of a message', () => {
  interface Case {
    readonly traceparent: string;
    readonly role: 'channel' | 'user';
    readonly expect: string;
  }
  const { cases } = JSON.parse(readFileSync('test/inputs/telemetry/E31-traceparents.json', 'utf8')) as {
    readonly cases: readonly Case[];
  };

  it.each(cases.map((one) => [one.expect, one.role, one.traceparent.slice(0, 70), one] as const))(
    '[L-25] %s, from role %s: %s',
    async (_, role, __, { traceparent, expect: expected }) => {
      const { connect } = await start();
      const token = role === 'channel' ? TOKENS.driver : TOKENS.alice;
      const client = await connect.call(gateway, 'client', token);
      const end = await say(client, 'hello', { traceparent });
      expect(end.payload).toMatchObject({ reason: 'stop' });
      await stop();

      const spans = collector.named('accept message');
      if (expected.endsWith('not recorded')) {
        expect(collector.spans).toEqual([]);
        return;
      }
      expect(spans).toHaveLength(1);
      const [span] = spans;
      if (expected.startsWith('parent')) expect(span).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, links: [] });
      else expect([span?.traceId === TRACE, span?.parentSpanId]).toEqual([false, undefined]);
      if (expected.endsWith('linked')) expect(span?.links).toMatchObject([{ traceId: TRACE, spanId: SPAN }]);
      else expect(span?.links).toEqual([]);
      expect(collector.only('turn')).toMatchObject({ traceId: span?.traceId, parentSpanId: span?.spanId });
    },
  );

  it('[L-26] survives a stop in the middle of the turn: the next run is a span of the same trace, with a link', async () => {
    const settings = { 'store.url': `sqlite:${join(folder, 'gateway.db')}` };
    await start(settings);
    const client = await gateway!.connect('client', TOKENS.driver);
    const payload = { channel: 'test', sender: 'alice', content: '/blocks 2 60000' };
    client.send('message_in', { ...payload, metadata: { traceparent: `00-${TRACE}-${SPAN}-01` } });
    await client.next('stream_block');
    await stop();
    const first = collector.only('turn');
    expect(first).toMatchObject({ attributes: { 'openclaw.outcome': 'given_back' }, isError: true });

    await start(settings);
    const reader = await gateway!.connect('client', TOKENS.driver);
    reader.send('resume', {});
    await reader.next((frame) => frame.type === 'stream_restart' || frame.type === 'stream_block');
    await stop();
    const accepted = collector.only('accept message');
    const second = collector.named('turn').at(-1);
    expect(second).toMatchObject({
      traceId: TRACE,
      parentSpanId: accepted.spanId,
      links: [{ traceId: TRACE, spanId: accepted.spanId }],
      attributes: { 'openclaw.attempt': 2 },
    });
    expect(second?.spanId).not.toBe(first.spanId);
  });
});

describe('the spans of a turn', () => {
  it('[L-27] go from the message over queue, turn, model and tool, without what people write', async () => {
    const server = await ModelServer.start();
    try {
      await start({
        'agent.model': 'local/test-model',
        providers: { local: server.provider('openai-completions') },
        'telemetry.traces.headers': { authorization: 'Bearer of-the-collector' },
      });
      server.answer({ toolCalls: [{ name: 'time_now', arguments: '{}' }] }, { content: 'It is late.' });
      const client = await gateway!.connect('client', TOKENS.driver);
      const { session_id: session } = await say(client, 'canary-text');
      await stop();

      const [accept, wait, turn] = ['accept message', 'wait in queue', 'turn'].map((name) => collector.only(name));
      expect([accept, wait, turn].map((span) => span?.parentSpanId)).toEqual([
        undefined,
        accept?.spanId,
        accept?.spanId,
      ]);
      expect(turn?.attributes).toMatchObject({
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.conversation.id': session,
        'openclaw.outcome': 'stop',
      });
      const chats = collector.named('chat');
      expect(chats).toHaveLength(2);
      for (const chat of chats)
        expect(chat).toMatchObject({
          name: 'chat test-model',
          kind: 3,
          traceId: accept?.traceId,
          parentSpanId: turn?.spanId,
          attributes: { 'gen_ai.provider.name': 'local', 'gen_ai.request.model': 'test-model' },
        });
      expect(collector.only('execute_tool')).toMatchObject({
        name: 'execute_tool time.now',
        parentSpanId: turn?.spanId,
        attributes: { 'gen_ai.tool.name': 'time.now' },
      });
      // The provider can continue the trace.
      const headers = server.mock.getRequests().map((request) => request.headers['traceparent']);
      expect(headers).toEqual(chats.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
      expect(collector.authorizations).toContain('Bearer of-the-collector');
      expect(collector.resources[0]).toMatchObject({ 'service.name': 'openclaw-gateway' });
      expect(JSON.stringify(collector.spans)).not.toMatch(/canary|alice|sk-of-the-test|It is late/);
    } finally {
      await server.stop();
    }
  });

  it('[L-27] end with the delivery to the platform, in the trace of the message', async () => {
    const platform = new FakePlatform();
    gateway = await GatewayApp.start({
      modules: [PlatformModule.on(platform, PigeonDriver)],
      settings: {
        'telemetry.traces.endpoint': collector.endpoint,
        'channels.pigeon.dm_policy': 'open',
        'channels.pigeon.allow_from': ['*'],
        'channels.pigeon.streaming': 'final',
      },
    });
    platform.write('ann', 'hello');
    await eventually(() => expect(platform.read('ann')).toHaveLength(1));
    await stop();
    const accepted = collector.only('accept message');
    expect(collector.only('deliver')).toMatchObject({
      traceId: accepted.traceId,
      parentSpanId: accepted.spanId,
      attributes: { 'openclaw.channel': 'pigeon' },
      isError: false,
    });
  });

  it('say how a message was refused, a tool failed and a turn ended', async () => {
    await start();
    const client = await gateway!.connect('client', TOKENS.driver);
    await say(client, '/fail');
    await say(client, '/tool no.such {}');
    await stop();
    const [failed] = collector.named('turn');
    expect(failed).toMatchObject({ isError: true, attributes: { 'error.type': 'error' } });
  });

  it('are recorded by their share', async () => {
    await start({ 'telemetry.traces.sample_ratio': 0 });
    const client = await gateway!.connect('client', TOKENS.driver);
    await say(client, 'hello');
    await say(client, 'hello', { traceparent: `00-${TRACE}-${SPAN}-01` });
    await stop();
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  });
});

describe('a collector that does not take traces', () => {
  it.each<[how: string, answer: TraceCollector['answer']]>([
    ['is silent', () => {}],
    ['refuses', (response) => response.writeHead(500).end()],
    ['hangs up', (response) => response.destroy()],
  ])('[L-28] costs a bounded time of the stop, and a line: one that %s', async (_, answer) => {
    collector.answer = answer;
    const logs = new KeptLogs();
    await start({}, logs);
    const client = await gateway!.connect('client', TOKENS.driver);
    await say(client, 'hello');
    const stoppedAt = performance.now();
    await stop();
    expectTime(performance.now() - stoppedAt, MAX_STOP_MS);
    const lines = logs.lines.filter((line) => line.includes('trace'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(3);
    expect(logs.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});

describe('without an endpoint', () => {
  it('nothing of OpenTelemetry is loaded: files import only its types', () => {
    const files = globSync('src/**/*.ts').filter((file) => !file.endsWith('.spec.ts'));
    const imports = files.flatMap(
      (file) => readFileSync(file, 'utf8').match(/^import (?!type ).*@opentelemetry.*$/gm) ?? [],
    );
    expect([files.length > 300, imports]).toEqual([true, []]);
  });

  it('no trace is made or stored', async () => {
    gateway = await GatewayApp.start({ settings: withTokens });
    const client = await gateway.connect('client', TOKENS.driver);
    await say(client, 'hello', { traceparent: `00-${TRACE}-${SPAN}-01` });
    expect(collector.requests).toBe(0);
  });
});
