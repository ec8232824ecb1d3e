import { get as httpGet, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { systemTimers } from '../../src/client/index.js';
import { PinoLogs } from '../../src/telemetry/pino-logs.js';
import { FakeTerminal } from '../../src/testing/fake-terminal.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
let logs: PinoLogs;
const OPERATOR = { 'auth.tokens': [{ token: TOKENS.operator, principal: 'ann', role: 'operator' }] };
afterEach(() => gateway.close());

async function start(settings: Record<string, unknown> = OPERATOR, port = 0): Promise<void> {
  logs = new PinoLogs({ output: { write: () => {} }, pretty: false });
  gateway = await GatewayApp.start({ settings, port, logs });
}

const headersOf = (token: string) => ({ authorization: `Bearer ${token}` });
const get = (query = '', token: string = TOKENS.operator) =>
  fetch(`${gateway.url}/admin/v1/logs${query}`, { headers: headersOf(token) });
const patch = (levels: object, token: string = TOKENS.operator) =>
  fetch(`${gateway.url}/admin/v1/logs/levels`, {
    method: 'PATCH',
    headers: { ...headersOf(token), 'content-type': 'application/json' },
    body: JSON.stringify({ levels }),
  });

interface Page {
  readonly items: readonly { readonly id: string; readonly message: string; readonly fields: object }[];
  readonly next?: string;
}
const list = async (query: string) => (await (await get(query)).json()) as Page;

describe('the logs over HTTP', () => {
  it('[I-60] are listed newest first in pages, by subsystem, level and text', async () => {
    await start();
    for (let n = 0; n < 5; n++) logs.for('cron').warn({ n }, `a run ${n}`);
    logs.for('cron').info({ token: 'abc' }, 'routine');
    const first = await list('?subsystem=cron&level=warn&limit=2');
    expect(first.items).toMatchObject([
      { message: 'a run 4', level: 'warn', subsystem: 'cron', fields: { n: 4 }, at: expect.any(Number) },
      { message: 'a run 3' },
    ]);
    const second = await list(`?subsystem=cron&level=warn&limit=2&cursor=${first.next}`);
    expect(second.items.map(({ message }) => message)).toEqual(['a run 2', 'a run 1']);
    expect((await list('?q=ROUTINE')).items).toMatchObject([{ message: 'routine', fields: { token: '***' } }]);
    for (const query of ['?level=loud', '?subsystem=x', '?limit=0', '?cursor=1.x', '?follow=maybe', '?x=1'])
      expect([query, (await get(query)).status]).toEqual([query, 400]);
  });

  it('[I-61] and their levels are for operators of all tenants', async () => {
    await start(withTokens);
    for (const token of [TOKENS.stranger, TOKENS.operator]) {
      for (const response of [
        await get('', token),
        await get('?follow=true', token),
        await patch({ gateway: 'debug' }, token),
      ]) {
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        expect(await response.json()).toMatchObject({ status: 403, code: 'FORBIDDEN' });
      }
    }
    expect((await get('', TOKENS.reader)).status).toBe(403);
  });

  it('[I-62] have levels that are changed at once, permanently and with a row of the audit trail', async () => {
    await start();
    expect(logs.for('gateway').isEnabled('debug')).toBe(false);
    const changed = (await (await patch({ gateway: 'debug', queue: 'error' })).json()) as { levels: object };
    expect(changed.levels).toMatchObject({ gateway: 'debug', queue: 'error', cron: 'info' });
    expect([logs.for('gateway').isEnabled('debug'), logs.for('queue').isEnabled('warn')]).toEqual([true, false]);
    expect(await (await patch({ gateway: null })).json()).toMatchObject({ levels: { gateway: 'info' } });
    const refused = await patch({ gateway: 'loud', nothing: 'info' });
    expect(refused.status).toBe(400);
    const audit = await fetch(`${gateway.url}/admin/v1/audit?action=settings.change`, {
      headers: headersOf(TOKENS.operator),
    });
    expect(((await audit.json()) as { items: object[] }).items).toMatchObject([{ actor: 'ann' }, { actor: 'ann' }]);
  });
});

/** Opens a stream and collects what it sends. */
async function follow(
  query = '',
  lastId?: string,
): Promise<{ response: IncomingMessage; text: () => string; end: () => void }> {
  const headers = { ...headersOf(TOKENS.operator), ...(lastId !== undefined && { 'last-event-id': lastId }) };
  let text = '';
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(`${gateway.url}/admin/v1/logs?follow=true${query}`, { headers, agent: false }, resolve).on('error', reject);
  });
  response
    .setEncoding('utf8')
    .on('data', (chunk: string) => void (text += chunk))
    .on('error', () => {});
  return { response, text: () => text, end: () => response.destroy() };
}

describe('the logs as a stream', () => {
  it('[I-63] begin after the last line that the reader has, and go on live', async () => {
    await start();
    logs.for('cron').info({}, 'one');
    logs.for('cron').info({}, 'two');
    const [two, one] = (await list('?subsystem=cron')).items;
    const stream = await follow('&subsystem=cron', one?.id);
    expect(stream.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    logs.for('gateway').info({}, 'elsewhere');
    logs.for('cron').info({}, 'three');
    await expect.poll(stream.text).toMatch(/two[\s\S]*three/);
    expect(stream.text()).toContain(`id: ${two?.id}\ndata: {`);
    expect(stream.text()).not.toMatch(/elsewhere|"one"|reset/);
    stream.end();
  });

  it('[I-63] send a reset without an id to a reader of another process, then all lines', async () => {
    await start();
    logs.for('cron').info({}, 'one');
    const stream = await follow('&subsystem=cron', 'abcdef01-7');
    await expect.poll(stream.text).toMatch(/^:\n\nevent: reset\ndata: \{\}\n\nid: \w+-\d+\ndata: .*"one"/);
    stream.end();
  });

  it('[I-63] hold little for a reader that takes nothing, which then reads that lines are missing', async () => {
    await start();
    const stream = await follow('&subsystem=cron');
    stream.response.pause();
    const long = 'x'.repeat(10_000);
    for (let n = 0; n < 12_000; n++) logs.for('cron').info({ long }, `l${n}`);
    stream.response.resume();
    await expect.poll(stream.text).toContain('"l11999"');
    expect(stream.text()).toContain('event: reset');
    expect(stream.text().length).toBeLessThan(20_000_000);
    stream.end();
  });
});

class Console extends FakeTerminal {
  override readonly fetch = fetch;
  readonly timers = {
    ...systemTimers,
    setTimer: (_: number, callback: () => void) => systemTimers.setTimer(5, callback),
  };

  constructor(token: string = TOKENS.operator) {
    super({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: token });
  }
}

describe('openclaw logs', () => {
  it('[I-64] shows the newest lines, oldest first, of a subsystem and a level', async () => {
    await start();
    for (let n = 0; n < 3; n++) logs.for('cron').warn({ n }, `a run`);
    logs.for('queue').error({}, 'other');
    const terminal = new Console();
    expect(await run(['logs', '--filter', 'cron', '--level', 'warn', '-n', '2'], terminal)).toBe(0);
    expect(terminal.stdout.text).toMatch(/^\S+ WARN {2}cron a run n=1\n\S+ WARN {2}cron a run n=2\n$/);
    for (const args of [['--level', 'loud'], ['--filter', 'x'], ['-n', 'x'], ['y']])
      expect([args, await run(['logs', ...args], new Console())]).toEqual([args, 2]);
    expect(await run(['logs'], new Console('wrong-token-0123456789'))).toBe(1);
  });

  it('[I-64] follows over a restart of the gateway, says that there is a gap, and repeats nothing', async () => {
    await start();
    logs.for('cron').info({}, 'before');
    const terminal = new Console();
    const ended = run(['logs', '--filter', 'cron', '--follow'], terminal);
    await terminal.until(() => terminal.stdout.text.includes('before'));
    logs.for('cron').info({}, 'live');
    await terminal.until(() => terminal.stdout.text.includes('live'));
    const { port } = gateway;
    await gateway.close();
    await start(OPERATOR, port);
    logs.for('cron').info({}, 'again');
    await terminal.until(() => terminal.stdout.text.includes('again'));
    expect(terminal.stderr.text).toBe('--- gap: gateway restarted ---\n');
    expect(terminal.stdout.text.match(/before|live|again/g)).toEqual(['before', 'live', 'again']);
    terminal.interrupt();
    expect(await ended).toBe(0);
  });

  it('[I-64] exits with 3 if there never was a gateway, and with 1 once its credential has ended', async () => {
    await start();
    const terminal = new Console();
    const ended = run(['logs', '--follow'], terminal);
    await terminal.until(() => terminal.stdout.text.length > 0);
    const { port } = gateway;
    await gateway.close();
    expect(await run(['logs', '--follow'], new Console())).toBe(3);
    await start({ 'auth.tokens': [{ token: 'another-token-0123456789', principal: 'ann', role: 'operator' }] }, port);
    expect(await ended).toBe(1);
  });
});
