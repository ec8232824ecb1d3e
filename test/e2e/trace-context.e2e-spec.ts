import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as api from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OpenTelemetryTracing, type Tracing } from '../../src/index.js';
import { SystemClock } from '../../src/core/time/clock.js';
import { encodeRequest, encodeSpan } from '../../src/telemetry/traces/otlp-json.js';
import { RecordingTracing } from '../../src/telemetry/traces/recording-tracing.js';
import type { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { callTool, NodeApp, resultOf, sendResult } from '../support/node-app.js';
import { aCommand } from '../support/test-node.js';
import { TraceCollector } from '../support/trace-collector.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const cleanups: (() => unknown)[] = [];
let collector: TraceCollector;
let settings: Readonly<Record<string, unknown>>;

beforeEach(async () => {
  collector = await TraceCollector.start();
  cleanups.push(() => collector.stop());
  settings = { ...withTokens, 'telemetry.traces.endpoint': collector.endpoint };
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Calls a tool as a person of a gateway, and resolves with its result when the turn has ended. */
async function runTool(client: FrameClient, tool: string, parameters: object): Promise<Record<string, unknown>> {
  const id = callTool(client, tool, parameters);
  const result = await resultOf(client);
  await client.next(({ type, correlation_id }) => type === 'stream_end' && correlation_id === id);
  return result;
}

/** Returns the context that the span of the only tool call passes on. */
function contextOfCall(): string {
  const { traceId, spanId } = collector.only('execute_tool');
  return `00-${traceId}-${spanId}-01`;
}

describe('what a tool requests', () => {
  it('[L-27] over HTTP carries the trace context of its call', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const page = createServer((request, response) => {
      seen.push(request.headers);
      response.end('hello');
    });
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => page.close());
    const host = `127.0.0.1:${(page.address() as AddressInfo).port}`;
    const gateway = await GatewayApp.start({
      settings: { ...settings, 'tools.http.allow_hosts': [host], 'tools.default_permissions': ['http'] },
    });
    const client = await gateway.connect('client', TOKENS.operator);
    expect(await runTool(client, 'http.fetch', { url: `http://${host}/` })).toMatchObject({ ok: true });
    await gateway.close();
    expect(seen.map(({ traceparent }) => traceparent)).toEqual([contextOfCall()]);
  });

  it('[L-27] of a device carries it in the frame of the call', async () => {
    const app = await NodeApp.start({ settings: { 'telemetry.traces.endpoint': collector.endpoint } });
    const node = await app.pair();
    const line = await node.connect([aCommand('lamp.set')]);
    const person = await app.person();
    const ended = runTool(person, 'node.kitchen-mac.lamp.set', {});
    const { call_id, traceparent } = (await line.next('tool_call')).payload;
    await sendResult(line, call_id as string, 1);
    expect(await ended).toMatchObject({ ok: true });
    await app.close();
    expect(traceparent).toBe(contextOfCall());
  });

  it('[L-27] of another agent is answered in the trace of the question', async () => {
    const agents = { main: { permissions: ['agents'] }, ops: {} };
    const gateway = await GatewayApp.start({ settings: { ...settings, agents } });
    const client = await gateway.connect('client', TOKENS.operator);
    expect(await runTool(client, 'agents.ask', { agent: 'ops', message: 'hello' })).toMatchObject({ ok: true });
    await gateway.close();
    const call = collector.only('execute_tool');
    const asked = collector.named('turn').find(({ attributes }) => attributes['gen_ai.agent.name'] === 'ops');
    expect(asked).toMatchObject({ traceId: call.traceId, parentSpanId: call.spanId });
  });

  it('has no trace context without an engine', async () => {
    const app = await NodeApp.start();
    cleanups.push(() => app.close());
    const node = await app.pair();
    const line = await node.connect([aCommand('lamp.set')]);
    callTool(await app.person(), 'node.kitchen-mac.lamp.set');
    expect((await line.next('tool_call')).payload).not.toHaveProperty('traceparent');
  });
});

describe('an application with an SDK of its own', () => {
  it('gets the spans of the gateway by `tracing`, and the gateway exports none', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const tracing = new OpenTelemetryTracing(api, provider.getTracer('application'));
    const gateway = await GatewayApp.start({ settings, tracing });
    const client = await gateway.connect('client', TOKENS.driver);
    const metadata = { traceparent: `00-${TRACE}-${SPAN}-01` };
    const id = client.send('message_in', { channel: 'test', sender: 'alice', content: 'hello', metadata });
    await client.next(({ type, correlation_id }) => type === 'stream_end' && correlation_id === id);
    await gateway.close();
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['accept message', 'turn', 'wait in queue']);
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([TRACE]));
    expect(collector.requests).toBe(0);
  });
});

describe('the export', () => {
  /** Makes a span with everything that one can have, and one that has nothing. */
  function makeSpans(tracing: Tracing): void {
    const context = `00-${TRACE}-${SPAN}-01`;
    const span = tracing.start('everything', {
      ...{ kind: 'client', parent: context, link: context, startedAt: 1_800_000_000_000 },
      attributes: { text: 'ä"\n', whole: 7, broken: 0.25, yes: true },
    });
    span.set({ whole: 8 });
    span.end('TIMEOUT');
    tracing.start('nothing').end();
  }

  it('gives a collector what the SDK of OpenTelemetry gives it', async () => {
    const exporter = new OTLPTraceExporter({ url: collector.endpoint });
    const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] });
    makeSpans(new OpenTelemetryTracing(api, provider.getTracer('them')));
    await provider.shutdown();
    const theirs = collector.spans.splice(0);

    const encoded: Buffer[] = [];
    makeSpans(
      new RecordingTracing({
        clock: new SystemClock(),
        sampleRatio: 1,
        take: (span) => encoded.push(encodeSpan(span)),
      }),
    );
    const body = encodeRequest({ resource: {}, scope: { name: 'us', version: '1' } }, encoded);
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(collector.endpoint, { method: 'POST', headers, body })).status).toBe(200);
    expect(collector.spans).toHaveLength(2);
    for (const [n, span] of collector.spans.entries())
      expect(theirs[n]).toMatchObject({
        ...span,
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        traceId: expect.stringMatching(n === 0 ? TRACE : /^[0-9a-f]{32}$/),
        endTimeUnixNano: expect.stringMatching(/^\d{19}$/),
        startTimeUnixNano: expect.stringMatching(n === 0 ? /^1800000000000000000$/ : /^\d{19}$/),
        links: span.links.map((link) => expect.objectContaining(link)),
      });
  });
});
