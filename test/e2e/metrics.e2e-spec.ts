import { afterEach, describe, expect, it } from 'vitest';
import { Store } from '../../src/core/store/index.js';
import { Metrics } from '../../src/core/telemetry/metrics.js';
import { PrometheusMetrics } from '../../src/telemetry/prometheus-metrics.js';
import { expectTime } from '../support/expect-time.js';
import type { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { findSample, parsePrometheusText } from '../support/prometheus-text.js';

const ALL = 'operator-of-all-0123456789';
const SCRAPER = 'scraper-token-0123456789ab';
/** Time within which the metrics are served, with some for a machine that is busy, in milliseconds. */
const MAX_SERVED_MS = 1_000;

const tenants = {
  'auth.tokens': [
    ...(withTokens['auth.tokens'] as object[]),
    { token: ALL, principal: 'root', role: 'operator', tenant: '*' },
    { token: SCRAPER, principal: 'prometheus', role: 'operator', tenant: '*', scopes: ['metrics:read'] },
  ],
};
/** Settings that name one tenant only. */
const oneTenant = {
  'auth.tokens': [
    { token: TOKENS.operator, principal: 'operator', role: 'operator' },
    { token: SCRAPER, principal: 'prometheus', role: 'operator', scopes: ['metrics:read'] },
  ],
};

let gateway: GatewayApp;
afterEach(() => gateway.close());

async function read(token?: string, path = '/metrics') {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${gateway.url}${path}`, { headers });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** Sends a message and returns its end. */
function say(client: FrameClient, payload: object) {
  const id = client.send('message_in', payload);
  return client.next((frame) => frame.type === 'stream_end' && frame.correlation_id === id);
}

describe('who reads /metrics', () => {
  it.each<[who: string, token: string | undefined, status: number]>([
    ['no credential', undefined, 401],
    ['a user', TOKENS.alice, 403],
    ['a driver', TOKENS.driver, 403],
    ['an operator without the scope', TOKENS.reader, 403],
    ['an operator of another tenant', TOKENS.stranger, 403],
    ['an operator of the tenant default beside others', TOKENS.operator, 403],
    ['an operator of all tenants', ALL, 200],
    ['a token that may do nothing else', SCRAPER, 200],
  ])('[L-19] %s', async (_, token, status) => {
    gateway = await GatewayApp.start({ settings: tenants });
    const answer = await read(token);
    expect(answer.status).toBe(status);
    expect(answer.type).toBe(status === 200 ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/problem+json');
    if (status === 403) expect(JSON.parse(answer.text)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('[L-19] an operator of a gateway with one tenant, and a token for nothing else', async () => {
    gateway = await GatewayApp.start({ settings: oneTenant });
    expect([(await read(TOKENS.operator)).status, (await read(SCRAPER)).status]).toEqual([200, 200]);
    for (const path of ['/admin/v1/config', '/admin/v1/channels', '/admin/v1/tools'])
      expect([path, (await read(SCRAPER, path)).status]).toEqual([path, 403]);
  });

  it('in open mode needs the local token', async () => {
    gateway = await GatewayApp.start();
    expect([(await read()).status, (await read(gateway.localToken)).status]).toEqual([403, 200]);
  });

  it('no caller when they are off', async () => {
    gateway = await GatewayApp.start({ settings: { ...oneTenant, 'telemetry.metrics': false } });
    const answer = await read(TOKENS.operator);
    expect(answer.status).toBe(404);
    expect(answer.text).toContain('telemetry.metrics');
  });
});

describe('/metrics', () => {
  it('counts acknowledgements, turns and tools, and says nothing of people, sessions or secrets', async () => {
    gateway = await GatewayApp.start({ settings: oneTenant });
    const client = await gateway.connect('canary-client', TOKENS.operator);
    const canaries = ['canary-channel', 'canary-sender', 'canary-text'];
    const [channel, sender, content] = canaries as [string, string, string];
    await say(client, { channel, sender, content: '/tool time.now' });
    const { session_id: session } = await say(client, { channel, sender, content });
    const { text } = await read(SCRAPER);

    expect(findSample(text, 'openclaw_messages_total{outcome="queued"}')).toBe(2);
    expect(findSample(text, 'openclaw_ack_seconds_count')).toBe(2);
    expect(findSample(text, 'openclaw_turns_total{outcome="stop"}')).toBe(2);
    expect(findSample(text, 'openclaw_turn_seconds_count')).toBe(2);
    expect(findSample(text, 'openclaw_tool_calls_total{tool="time.now",outcome="ok"}')).toBe(1);
    expect(findSample(text, 'openclaw_connections')).toBe(1);
    expect(findSample(text, 'openclaw_metrics_dropped_total')).toBe(0);
    const found = [...canaries, 'canary', String(session), SCRAPER, TOKENS.operator, 'prometheus'].filter((one) =>
      text.includes(one),
    );
    expect(found).toEqual([]);
  });

  it('has the process under the names that dashboards know, and every error at 0 from the start', async () => {
    gateway = await GatewayApp.start({ settings: oneTenant });
    const { text } = await read(SCRAPER);
    const served = parsePrometheusText(text);
    expect([...served.keys()]).toEqual(
      expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds']),
    );
    for (const series of [
      'openclaw_auth_failures_total{outcome="throttled"}',
      'openclaw_turns_total{outcome="error"}',
      'openclaw_tool_calls_total{tool="time.now",outcome="TOOL_FAILED"}',
      'openclaw_refusals_total{code="QUEUE_FULL"}',
      'openclaw_slow_readers_total',
      'openclaw_leases_lost_total',
      'openclaw_resumes_total{outcome="refused"}',
    ])
      expect([series, findSample(text, series)]).toEqual([series, 0]);
  });

  it('[L-21] is served while the store is stopped', async () => {
    gateway = await GatewayApp.start({ settings: oneTenant });
    await read(SCRAPER);
    await gateway.app.get(Store, { strict: false }).close();
    const startedAt = performance.now();
    const { status, text } = await read(SCRAPER);
    expectTime(performance.now() - startedAt, MAX_SERVED_MS);
    expect(status).toBe(200);
    expect(findSample(text, 'openclaw_queue_messages{state="waiting"}')).toBe(0);
  });

  it('[L-20] stays readable, and turns run, when every metric gets junk', async () => {
    gateway = await GatewayApp.start({ settings: oneTenant });
    const metrics = gateway.app.get<Metrics, PrometheusMetrics>(Metrics, { strict: false });
    const client = await gateway.connect('client', TOKENS.operator);
    const ended = say(client, { channel: 'test', sender: 'me', content: '/blocks 2 50' });
    for (const { series } of metrics.families) {
      for (const one of series.values()) {
        for (const junk of [NaN, Infinity, -1, undefined, '1', {}, null] as never[]) {
          if ('add' in one) if (junk !== undefined) one.add(junk);
          if ('observe' in one) one.observe(junk);
          if ('set' in one && junk !== -1) one.set(junk);
        }
      }
    }
    await ended;
    const { text } = await read(SCRAPER);
    parsePrometheusText(text);
    expect(findSample(text, 'openclaw_turns_total{outcome="stop"}')).toBe(1);
    expect(findSample(text, 'openclaw_metrics_dropped_total')).toBeGreaterThan(metrics.families.length);
  });
});
