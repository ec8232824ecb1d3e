import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { AuditStore } from '../../src/core/store/index.js';
import { FakeTerminal } from '../../src/testing/index.js';
import { AdminApi } from '../support/admin-api.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
let admin: AdminApi;
let stranger: AdminApi;
let driver: FrameClient;
let sent = 0;

beforeEach(async () => {
  gateway = await GatewayApp.start({ settings: withTokens });
  admin = new AdminApi(gateway);
  stranger = new AdminApi(gateway, TOKENS.stranger);
  driver = await gateway.connect('c', TOKENS.driver);
});
afterEach(() => gateway.close());

const post = (content: string, sender = 'alice') =>
  driver.send('message_in', { channel: 'test', sender, content }, { id: `message-${++sent}` });
/** Sends a message and resolves with the payload of its acknowledgement. */
async function say(content: string, sender?: string) {
  const id = post(content, sender);
  const { payload, session_id: sessionId = '' } = await driver.answerTo(id);
  return { id, ref: String(payload['message_ref']), sessionId };
}
const ended = (id: string) =>
  driver.next((frame) => frame.type === 'stream_end' && (frame.payload['id'] === id || frame.correlation_id === id));
const audit = async (action: string) =>
  (await gateway.app.get(AuditStore, { strict: false }).listAudit({ action, order: 'newest', limit: 10 })).map(
    ({ tenant, actor, target }) => ({ tenant, actor, target }),
  );

async function command(...args: string[]) {
  const terminal = new FakeTerminal({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: TOKENS.operator });
  const code = await run(args, { ...terminal, fetch, stdout: terminal.stdout, stderr: terminal.stderr } as never);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

describe('the queue', () => {
  it('[AD-01] lists the waiting messages in pages, with their positions and the counts of the tenant', async () => {
    const running = await say('/wait 60000');
    await expect.poll(async () => (await admin.get('queue')).body['running']).toBe(1);
    const waiting = [await say('one'), await say('two'), await say('three')];
    const { body } = await admin.get('queue?limit=2');
    expect(body).toMatchObject({ waiting: 3, running: 1, oldest_age_ms: expect.any(Number) as number });
    expect(body.items).toMatchObject([
      { message_ref: waiting[0]?.ref, sender: 'alice', channel: 'test', position: 0, running_ref: running.ref },
      { message_ref: waiting[1]?.ref, position: 1, session_id: running.sessionId },
    ]);
    expect((await admin.all('queue?limit=2')).map((item) => item['message_ref'])).toEqual(
      waiting.map(({ ref }) => ref),
    );
    expect((await admin.get(`queue?session_id=${running.sessionId}`)).body.items).toHaveLength(3);
    expect((await admin.get('queue?session_id=s_other')).body).toMatchObject({ waiting: 3, items: [] });
    expect((await stranger.get('queue')).body).toEqual({ waiting: 0, running: 0, oldest_age_ms: 0, items: [] });
    const { code, out } = await command('queue', '--limit', '1');
    expect([code, out.split('\n').length]).toEqual([0, 3]);
  });

  it('[AD-02] refuses a cursor of other filters, of another tenant, and one that was changed', async () => {
    await say('/wait 60000');
    await say('one');
    await say('two');
    const { next = '' } = (await admin.get('queue?limit=1')).body;
    const changed = `${next.slice(0, -1)}${next.endsWith('A') ? 'B' : 'A'}`;
    const refused = [
      await admin.get(`queue?session_id=s_1&cursor=${next}`),
      await stranger.get(`queue?cursor=${next}`),
      await admin.get(`queue?cursor=${changed}`),
      await admin.get('queue?cursor=%01'),
    ];
    for (const { status, type, body } of refused) {
      expect([status, type]).toEqual([400, 'application/problem+json']);
      expect(body).toMatchObject({ status: 400, code: 'INVALID_PAYLOAD', faults: [{ pointer: '/cursor' }] });
    }
    for (let at = 0; at < next.length; at++) {
      const other = `${next.slice(0, at)}${next[at] === 'x' ? 'y' : 'x'}${next.slice(at + 1)}`;
      expect([at, (await admin.get(`queue?cursor=${other}`)).status]).toEqual([at, 400]);
    }
    expect((await admin.get('queue?limit=0&from=1')).body).toMatchObject({
      faults: expect.arrayContaining([
        { pointer: '/limit', message: expect.stringContaining('1') as string },
        { pointer: '/from', message: expect.any(String) as string },
      ]) as object[],
    });
  });
});

describe('a message', () => {
  it('[AD-03] has a life that says how long it waited, what its run did and how it ended', async () => {
    const { id, ref, sessionId } = await say('/tool time.now');
    await ended(id);
    const { body } = await admin.get(`messages/${ref}`);
    expect(body).toMatchObject({
      message_ref: ref,
      message_id: id,
      session_id: sessionId,
      status: 'done',
      attempts: 1,
      sender: 'alice',
      content: '/tool time.now',
      end: { reason: 'stop' },
      deliveries: [],
    });
    const steps = body['steps'] as { kind: string; tool?: string; started_at: number; ended_at?: number }[];
    expect(steps.map(({ kind, tool }) => [kind, tool])).toEqual([
      ['wait', undefined],
      ['model', undefined],
      ['tool', 'time.now'],
      ['model', undefined],
    ]);
    for (const step of steps) expect(step.ended_at).toBeGreaterThanOrEqual(step.started_at);
    expect((await stranger.get(`messages/${ref}`)).status).toBe(404);
    expect((await admin.get('messages/m_no_1')).status).toBe(404);
    expect((await command('messages', 'show', ref)).out).toContain('tool time.now');
  });

  it('[AD-04] that waits or runs is cancelled, with a row in the audit trail, and one that has ended stays', async () => {
    const running = await say('/wait 60000');
    await expect.poll(async () => (await admin.get('turns')).body.items).toHaveLength(1);
    const waiting = await say('one');
    expect((await admin.post(`messages/${waiting.ref}/cancel`)).status).toBe(204);
    expect((await ended(waiting.id)).payload['reason']).toBe('cancelled');
    expect((await stranger.post(`messages/${running.ref}/cancel`)).status).toBe(404);
    expect((await command('messages', 'cancel', running.ref)).code).toBe(0);
    expect((await ended(running.id)).payload['reason']).toBe('cancelled');
    expect((await admin.post(`messages/${running.ref}/cancel`)).status).toBe(204);
    expect(await audit('message.cancel')).toEqual([
      { tenant: 'default', actor: 'operator', target: running.ref },
      { tenant: 'default', actor: 'operator', target: waiting.ref },
    ]);
  });

  it('[AD-05] that has failed is sent again as a message of its own, which supersedes it; one that has not is refused', async () => {
    const failed = await say('/fail');
    await ended(failed.id);
    const retried = await admin.post(`messages/${failed.ref}/retry`);
    expect(retried.body).toMatchObject({ status: 'queued', session_id: failed.sessionId, position: 0 });
    const end = await driver.next(
      ({ type, payload }) => type === 'stream_end' && payload['message_ref'] === retried.body['message_ref'],
    );
    expect(end.payload['id']).toBe(`retry:${failed.ref}:1`);
    const life = (await admin.get(`messages/${String(retried.body['message_ref'])}`)).body;
    expect(life).toMatchObject({ sender: 'alice', content: '/fail', status: 'failed', client_id: 'c' });
    expect((await admin.get(`messages/${failed.ref}`)).body['superseded_by']).toBe(retried.body['message_ref']);
    const again = await admin.post(`messages/${String(retried.body['message_ref'])}/retry`);
    expect((await admin.get(`messages/${String(again.body['message_ref'])}`)).body['message_id']).toBe(
      `retry:${failed.ref}:2`,
    );
    const good = await say('good');
    await ended(good.id);
    const refused = await admin.post(`messages/${good.ref}/retry`);
    expect([refused.status, refused.type]).toEqual([409, 'application/problem+json']);
    expect((await audit('message.retry')).map(({ target }) => target)).toContain(failed.ref);
  });

  it('[AD-05] is not sent twice by a repeated retry while the first one has not failed', async () => {
    const failed = await say('/fail');
    await ended(failed.id);
    const running = await say('/wait 60000');
    await expect.poll(async () => (await admin.get('turns')).body.items).toHaveLength(1);
    const [first, second] = [
      await admin.post(`messages/${failed.ref}/retry`),
      await admin.post(`messages/${failed.ref}/retry`),
    ];
    expect([first.body['status'], second.body['status']]).toEqual(['queued', 'duplicate']);
    expect(second.body['message_ref']).toBe(first.body['message_ref']);
    expect(first.body['running_ref']).toBe(running.ref);
  });
});

describe('turns', () => {
  it('[AD-06] that run are listed with what they do, and end when an operator wants it', async () => {
    const { id, ref, sessionId } = await say('/wait 60000');
    await expect.poll(async () => (await admin.get('turns')).body.items).toHaveLength(1);
    expect((await admin.get('turns')).body.items).toMatchObject([
      { message_ref: ref, session_id: sessionId, sender: 'alice', agent: 'main', attempt: 1, step: 'model' },
    ]);
    expect((await stranger.get('turns')).body.items).toEqual([]);
    expect((await stranger.delete(`turns/${ref}`)).status).toBe(404);
    expect((await command('turns')).out).toContain(ref);
    expect((await admin.delete(`turns/${ref}`)).status).toBe(204);
    expect((await ended(id)).payload['reason']).toBe('cancelled');
    await expect.poll(async () => (await admin.get('turns')).body.items).toEqual([]);
    expect((await admin.delete(`turns/${ref}`)).status).toBe(404);
  });
});

describe('connections', () => {
  it('[AD-07] are listed, and closed with 4001 and a row in the audit trail', async () => {
    await gateway.connect('other', TOKENS.stranger);
    const items = (await admin.get('connections')).body.items ?? [];
    expect(items).toMatchObject([{ client_id: 'c', principal: 'driver', role: 'channel', channels: ['test'] }]);
    const id = String(items[0]?.['connection_id']);
    expect((await stranger.delete(`connections/${id}`)).status).toBe(404);
    expect((await admin.delete(`connections/${id}?reason=a+lost+phone`)).status).toBe(204);
    expect((await driver.ended).code).toBe(4001);
    expect(await audit('connection.close')).toEqual([{ tenant: 'default', actor: 'operator', target: id }]);
    await expect.poll(async () => (await admin.get('connections')).body.items).toEqual([]);
    expect((await admin.delete(`connections/${id}`)).status).toBe(404);
  });
});

describe('the status', () => {
  it('[AD-08] counts what concerns the tenant, minute by minute, and says what is wrong', async () => {
    await ended((await say('/fail')).id);
    await ended((await say('hello')).id);
    const { body } = await admin.get('status');
    expect(body).not.toHaveProperty('store');
    expect(body).toMatchObject({
      version: expect.any(String) as string,
      counts: { connections: 1, waiting: 0, running: 0, agents: 1, approvals: 0, dead_letters: 0 },
      warnings: [],
    });
    const minutes = body['minutes'] as { messages: number; failed: number; first_block_p95_ms?: number }[];
    expect(minutes).toHaveLength(60);
    const sum = (field: 'messages' | 'failed') => minutes.reduce((total, minute) => total + minute[field], 0);
    expect([sum('messages'), sum('failed')]).toEqual([2, 1]);
    expect(minutes.some((minute) => minute.first_block_p95_ms !== undefined)).toBe(true);
    const { out } = await command('status');
    expect(out).toContain('2 messages, 1 failed');
  });

  it('[AD-08] has the process, the store and what is wrong with them for operators of the whole gateway', async () => {
    await gateway.close();
    const tokens = withTokens['auth.tokens'] as { tenant?: string }[];
    const settings = { 'auth.tokens': tokens.filter(({ tenant }) => tenant === undefined), 'queue.max_total': 1 };
    gateway = await GatewayApp.start({ settings });
    admin = new AdminApi(gateway);
    driver = await gateway.connect('c', TOKENS.driver);
    await say('/wait 60000');
    await expect.poll(async () => (await admin.get('turns')).body.items).toHaveLength(1);
    expect((await admin.get('status')).body).toMatchObject({
      replicas: [{ phase: 'ready' }],
      store: { label: 'sqlite::memory:', commits: true },
      memory: { rss_mb: expect.any(Number) as number },
      counts: { running: 1, active_sessions: 1 },
      warnings: [],
    });
  });

  it('[AD-09] shows an operator of a tenant neither the process nor what others do', async () => {
    await ended((await say('hello')).id);
    const { status, body } = await stranger.get('status');
    expect(status).toBe(200);
    expect(Object.keys(body).toSorted()).toEqual([
      'channels',
      'counts',
      'minutes',
      'uptime_seconds',
      'version',
      'warnings',
    ]);
    expect(body['counts']).toMatchObject({ connections: 0, waiting: 0, running: 0 });
    expect((body['minutes'] as { messages: number }[]).every(({ messages }) => messages === 0)).toBe(true);
  });

  it('[AD-10] and the other calls need an operator with the scope', async () => {
    const reader = new AdminApi(gateway, TOKENS.reader);
    const user = new AdminApi(gateway, TOKENS.alice);
    for (const path of ['status', 'queue', 'turns', 'connections', 'messages/m_1'])
      for (const caller of [reader, user]) expect([path, (await caller.get(path)).status]).toEqual([path, 403]);
    expect((await new AdminApi(gateway, 'nothing').get('status')).status).toBe(401);
  });
});
