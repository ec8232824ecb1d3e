import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { CronService } from '../../src/core/cron/cron.service.js';
import { run } from '../../src/cli/cli.js';
import { FakeTerminal } from '../../src/testing/index.js';
import { eventually } from '../support/eventually.js';
import { BOT_TOKEN, FakeTelegram } from '../support/fake-telegram.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

const ANN = 5001;
const JOB = {
  name: 'tick',
  schedule: { every_ms: 1_000 },
  target: { channel: 'test', sender: 'alice' },
  message: 'it is {{due}}',
};

let gateway: GatewayApp;
let telegram: FakeTelegram;
beforeEach(async () => {
  telegram = await FakeTelegram.start();
  gateway = await GatewayApp.start({
    settings: {
      ...withTokens,
      'cron.timezone': 'Europe/Paris',
      'channels.telegram.bot_token': BOT_TOKEN,
      'channels.telegram.api_root': telegram.url,
      'channels.telegram.dm_policy': 'open',
      'channels.telegram.allow_from': ['*'],
      'channels.telegram.streaming': 'final',
    },
  });
});
afterEach(async () => {
  await gateway.close();
  await telegram.close();
});

async function call(path: string, method = 'GET', body?: object, token: string = TOKENS.operator) {
  const response = await fetch(`${gateway.url}/admin/v1/cron/jobs${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, never> };
}

async function cron(...args: string[]) {
  const terminal = Object.assign(new FakeTerminal({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: TOKENS.operator }), {
    fetch,
  });
  const code = await run(['cron', ...args], terminal);
  return { code, out: terminal.stdout.text };
}

describe('a job', () => {
  it('[J-01] speaks to the agent in the session of a person, who reads the answer', async () => {
    const alice = await gateway.connect('page', TOKENS.alice);
    alice.send('message_in', { channel: 'test', sender: 'alice', content: 'hello' });
    await alice.next('stream_end');
    await call('', 'POST', JOB);
    const end = await alice.next(
      ({ type, payload }) => type === 'stream_end' && String(payload['id']).startsWith('cron:'),
    );
    expect(end.payload).toMatchObject({ reason: 'stop' });
  });

  it('[J-05] reaches a chat of a platform, from the session of the person and from one of its own', async () => {
    await call('', 'POST', {
      ...JOB,
      message: 'shared',
      target: { channel: 'telegram', sender: String(ANN) },
      max_runs: 1,
    });
    await eventually(() => expect(telegram.read(ANN).join()).toContain('shared'));
    const target = { isolated: true, deliver_to: { channel: 'telegram', sender: String(ANN) } };
    const { body } = await call('', 'POST', { ...JOB, message: 'isolated', target, max_runs: 1 });
    await eventually(() => expect(telegram.read(ANN).join()).toContain('isolated'));
    await eventually(async () => {
      const [done] = (await call(`/${body['job_id']}/runs`)).body['items'] as unknown as {
        status: string;
        session_id: string;
      }[];
      expect(done).toMatchObject({ status: 'done', session_id: expect.stringMatching(/^s_/) as string });
    });
    expect((await call(`/${body['job_id']}`)).body).toMatchObject({ enabled: false, stopped: 'it has run 1 times' });
  });

  it('[J-06] is started by an event of a device', async () => {
    const { body } = await call('', 'POST', {
      ...JOB,
      schedule: { on_event: { event: 'door.opened' } },
      message: '{{event}}',
    });
    const service = gateway.app.get(CronService, { strict: false });
    const event = { tenant: 'default', nodeId: 'kitchen', event: 'door.opened', data: { n: 1 } };
    await service.fireEvent({ ...event, eventId: 'e1' });
    await service.fireEvent({ ...event, eventId: 'e1' });
    await eventually(async () =>
      expect((await call(`/${body['job_id']}/runs`)).body['items']).toMatchObject([{ status: 'done', kind: 'event' }]),
    );
  });
});

describe('the tools of jobs', () => {
  it('[J-11] let an agent make, list, change and remove the jobs of its sender, and those of no other', async () => {
    const page = async (name: 'alice' | 'bob') => {
      const client = await gateway.connect(name, TOKENS[name]);
      let n = 0;
      return async (tool: string, parameters: object) => {
        const content = `/tool ${tool} ${JSON.stringify(parameters)}`;
        client.send('message_in', { channel: 'test', sender: name, content }, { id: `${name}${++n}` });
        const shown = await client.next(
          ({ type, payload }) => type === 'stream_block' && payload['block_type'] === 'tool_result',
        );
        await client.next('stream_end');
        return JSON.parse(String(shown.payload['content'])) as { ok: boolean; content: never };
      };
    };
    const [alice, bob] = [await page('alice'), await page('bob')];
    const job = { name: 'tea', schedule: { cron: '0 16 * * *' }, message: 'tea time' };
    expect((await alice('cron.add', job)).ok).toBe(false);
    const config = gateway.app.get(ConfigStoreService, { strict: false });
    await config.change(config.version, { 'tools.default_permissions': ['cron'] }, 'operator');
    // The agent that makes a job is the one that it speaks to.
    expect((await alice('cron.add', { ...job, agent: 'other' })).ok).toBe(false);
    const added = await alice('cron.add', job);
    expect(added).toMatchObject({ ok: true, content: { schedule: 'at 16:00', timezone: 'Europe/Paris' } });
    const { job_id } = added.content as { job_id: string };
    expect((await call(`/${job_id}`)).body).toMatchObject({
      target: { channel: 'test', sender: 'alice' },
      agent: 'main',
    });
    expect((await alice('cron.update', { job_id, enabled: false })).content).toMatchObject({
      enabled: false,
      next: [],
    });
    expect((await bob('cron.list', {})).content).toEqual({ jobs: [] });
    expect((await bob('cron.remove', { job_id })).ok).toBe(false);
    expect((await bob('cron.add', { ...job, target: { channel: 'test', sender: 'alice' } })).ok).toBe(false);
    expect((await alice('cron.remove', { job_id })).ok).toBe(true);
  });
});

describe('the administration of jobs', () => {
  it('[J-07] adds, lists, shows, changes, starts and removes them', async () => {
    const added = (await call('', 'POST', { ...JOB, schedule: { cron: '0 8 * * 1-5' } })).body;
    expect(added).toMatchObject({
      name: 'tick',
      enabled: true,
      words: 'at 08:00 on Monday to Friday',
      schedule: { cron: '0 8 * * 1-5', timezone: 'Europe/Paris' },
      misfire: 'latest',
      overlap: 'skip',
      made_by: 'operator',
    });
    const path = `/${added['job_id']}`;
    expect(added['next']).toHaveLength(5);
    expect((await call('')).body['items']).toMatchObject([{ job_id: added['job_id'] }]);
    expect((await call(path, 'PATCH', { message: 'other', max_runs: 3 })).body).toMatchObject({
      message: 'other',
      max_runs: 3,
    });
    expect((await call(path, 'PATCH', { max_runs: null })).body['max_runs']).toBeUndefined();
    expect((await call(`${path}/run`, 'POST')).body).toMatchObject({ kind: 'manual', status: 'running' });
    expect((await call(`${path}/next?count=1000`)).body['items']).toHaveLength(1_000);
    await eventually(async () =>
      expect((await call(`${path}/runs`)).body['items']).toMatchObject([{ status: 'done' }]),
    );
    expect((await call(path, 'DELETE')).status).toBe(204);
    expect((await call(path)).status).toBe(404);
  });

  it('[J-07] answers bad input with a pointer, bad counts with 400, and knows tenants and scopes', async () => {
    const bad = async (change: object) => (await call('', 'POST', { ...JOB, ...change })).body['details']?.['faults'];
    expect(await bad({ schedule: { cron: '61 * * * *' } })).toMatchObject([{ pointer: '/schedule/cron' }]);
    expect(await bad({ schedule: { cron: '0 8 * * *', timezone: 'Mars/Base' } })).toMatchObject([
      { pointer: '/schedule/timezone' },
    ]);
    expect(await bad({ schedule: { at: '2001-01-01T00:00:00Z' } })).toEqual([
      { pointer: '/schedule/at', message: 'is in the past' },
    ]);
    expect(await bad({ agent: 'ghost' })).toMatchObject([{ pointer: '/agent' }]);
    expect(await bad({ overlap: 'sometimes' })).toMatchObject([{ pointer: '/overlap' }]);
    expect(await bad({ colour: 'red' })).toMatchObject([{ pointer: '/colour' }]);
    const { body } = await call('', 'POST', JOB);
    for (const count of ['0', '-1', '1.5', 'x', '1001', '1000000'])
      expect((await call(`/${body['job_id']}/next?count=${count}`)).status).toBe(400);
    expect((await call(`/${body['job_id']}`, 'GET', undefined, TOKENS.stranger)).status).toBe(404);
    expect((await call('', 'POST', JOB, TOKENS.reader)).status).toBe(403);
    expect((await call('', 'GET', undefined, TOKENS.alice)).status).toBe(403);
  });
});

describe('openclaw cron', () => {
  it('[J-07] adds a job, prints when it is due, and lists, starts, edits and removes it', async () => {
    const args = [
      '--name',
      'news',
      '--cron',
      '0 9 */2 * MON',
      '--message',
      'hi',
      '--channel',
      'test',
      '--sender',
      'alice',
    ];
    const added = await cron('add', ...args, '--grace', '2h');
    expect(added.out).toContain('at 09:00 on each odd day OR on each Monday (Europe/Paris)');
    const id = /j\w+/.exec(added.out)?.[0] ?? '';
    expect((await cron()).out).toContain(id);
    expect((await cron('next', id, '--count', '3')).out.trim().split('\n')).toHaveLength(3);
    expect((await cron('run', id)).out).toContain('manual');
    await eventually(async () => expect((await cron('history', id)).out).toContain('done'));
    expect((await cron('edit', id, '--timezone', 'Europe/Oslo')).out).toContain('(Europe/Oslo)');
    expect((await cron('edit', id, '--every', '10s', '--misfire', 'skip')).out).toContain('every 10 seconds');
    expect((await cron('disable', id)).out).toContain('disabled');
    expect((await cron('enable', id)).code).toBe(0);
    expect((await cron('remove', id)).out).toContain('removed');
    expect((await cron('next', id)).code).toBe(1);
    for (const wrong of [['add'], ['next'], ['fly'], ['add', ...args, '--every', 'soon'], ['list', 'x']])
      expect((await cron(...wrong)).code).toBe(2);
  });
});
