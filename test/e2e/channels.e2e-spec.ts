import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module, type Type } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApprovalsService } from '../../src/core/approvals/approvals.service.js';
import { AgentRuntime } from '../../src/core/turns/agent-runtime.js';
import { MemoryConnectionsService } from '../../src/core/connections/memory-connections.service.js';
import { LOCAL_OPERATOR } from '../../src/core/identity/principal.js';
import { ChannelManagerService } from '../../src/core/channels/channel-manager.service.js';
import { ManualClock } from '../../src/testing/index.js';
import { FakeMetrics } from '../../src/testing/fake-metrics.js';
import { FakePlatform, PigeonDriver, TelegraphDriver } from '../../src/testing/fake-platform.js';
import { eventually } from '../support/eventually.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { PlatformModule } from '../support/platform-app.js';
import { RecordingLogs } from '../support/recording-logs.js';
import { ScriptedRuntime } from '../support/scripted-runtime.js';

let app: GatewayApp | undefined;
let platform: FakePlatform;
let logs: RecordingLogs;
let metrics: FakeMetrics;
/** The clock of the test, when it stands still by itself. */
let hands: ManualClock | undefined;

const OPEN = { dm_policy: 'open', allow_from: ['*'] };

interface Options {
  readonly driver?: typeof PigeonDriver | typeof TelegraphDriver;
  readonly clock?: ManualClock;
  /** Settings of the store. */
  readonly store?: Readonly<Record<string, unknown>>;
  readonly on?: FakePlatform;
  readonly agent?: Type;
}

/** Starts a gateway whose channel has these settings. */
async function start(
  settings: Readonly<Record<string, unknown>> = OPEN,
  { driver = PigeonDriver, clock, store = {}, on = new FakePlatform(), agent }: Options = {},
): Promise<void> {
  platform = on;
  hands = clock;
  logs = new RecordingLogs();
  metrics = new FakeMetrics();
  const channel = driver === PigeonDriver ? 'pigeon' : 'telegraph';
  app = await GatewayApp.start({
    modules: [PlatformModule.on(platform, driver)],
    settings: {
      ...withTokens,
      ...store,
      ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [`channels.${channel}.${key}`, value])),
    },
    logs,
    metrics,
    ...(clock && { clock }),
    ...(agent && { agent }),
  });
}

afterEach(async () => {
  let isClosed = false;
  const closing = app?.close().then(() => (isClosed = true));
  while (app && hands && !isClosed) await hands.advanceAsync(100);
  await closing;
  app = undefined;
});

const shows = (chat: string, ...texts: readonly string[]) =>
  eventually(() => {
    const shown = platform.read(chat);
    expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
  });

const troubles = () =>
  logs.entries.filter(({ subsystem, level }) => subsystem === 'channels' && (level === 'warn' || level === 'error'));
const parts = (outcome: string) => metrics.read('openclaw_channel_parts_total', { channel: 'pigeon', outcome });

/** Turns the hands of the clock until a condition holds. What waits for the store's thread gets real time for it. */
function turnUntil(clock: ManualClock, check: () => void, stepMs = 1_000): Promise<void> {
  const turn = async () => {
    try {
      check();
    } catch (error) {
      await clock.advanceAsync(stepMs);
      throw error;
    }
  };
  return vi.waitFor(turn, { timeout: 30_000, interval: 1 });
}

async function fetchAs(path: string, method = 'GET', content?: object): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${TOKENS.operator}`, 'content-type': 'application/json' };
  const body = content === undefined ? {} : { body: JSON.stringify(content) };
  const response = await fetch(`${app?.url}${path}`, { method, headers, ...body });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

const api = (path: string, method?: string) => fetchAs(`/admin/v1/channels${path}`, method);

describe('a channel', () => {
  it('[V-01] answers a message in its chat, and confirms it to the platform', async () => {
    await start();
    platform.write('ann', 'hello from ann');
    platform.write('bob', 'hello from bob');
    await shows('ann', 'hello from ann');
    await shows('bob', 'hello from bob');
    await eventually(() => expect(platform.pending).toBe(0));
    expect(troubles()).toEqual([]);
  });

  it('[V-02] answers what the platform delivers twice once', async () => {
    await start();
    const message = platform.write('ann', 'hello');
    await shows('ann', 'hello');
    platform.redeliver({ ...message, number: message.number });
    platform.write('ann', 'another');
    await shows('ann', 'hello', 'another');
  });

  it('[V-04] shows a reply that grows by editing it, and keeps the limit of the platform', async () => {
    await start();
    platform.write('ann', '/blocks 120 2');
    await eventually(() => expect(platform.read('ann').join('\n\n')).toContain('block 120'));
    const texts = platform.read('ann');
    expect(texts.join('\n\n')).toBe(Array.from({ length: 120 }, (_, n) => `block ${n + 1}`).join('\n\n'));
    expect(texts.every((text) => text.length <= 400)).toBe(true);
    expect(platform.calls).toBeGreaterThan(texts.length);
    expect(platform.shown).toHaveLength(texts.length);
    expect(troubles()).toEqual([]);
  });

  it('[V-04] shows the beginning of a block while the rest is still written', async () => {
    const agent = new ScriptedRuntime();
    @Global()
    @Module({ providers: [{ provide: AgentRuntime, useValue: agent }], exports: [AgentRuntime] })
    class ScriptedAgentModule {}
    await start(OPEN, { agent: ScriptedAgentModule });
    platform.write('ann', 'hello');
    agent.say('Once upon');
    await shows('ann', 'Once upon');
    agent.say(' a time');
    await shows('ann', 'Once upon a time');
    agent.say('END');
    await eventually(() => expect(platform.read('ann')).toEqual(['Once upon a time']));
    expect(troubles()).toEqual([]);
  });

  it('sends each block by itself where messages cannot be changed', async () => {
    await start(OPEN, { driver: TelegraphDriver });
    platform.write('ann', '/blocks 3');
    await shows('ann', 'block 1', 'block 2', 'block 3');
    expect(platform.calls).toBe(3);
  });

  it('sends a reply in one piece with `streaming: final`', async () => {
    await start({ ...OPEN, streaming: 'final' });
    platform.write('ann', '/blocks 3 20');
    await shows('ann', 'block 1\n\nblock 2\n\nblock 3');
    expect(platform.calls).toBe(1);
  });

  it('[V-16] takes what a person sends at once as one message, in order with the others', async () => {
    const clock = new ManualClock();
    await start(OPEN, { clock });
    platform.write('ann', 'before', undefined, clock.now());
    platform.writeAlbum('ann', ['one', 'two', 'three'], clock.now());
    platform.write('ann', 'after', undefined, clock.now());
    await turnUntil(clock, () => expect(platform.read('ann')).toHaveLength(3), 100);
    await shows('ann', 'before', 'one\ntwo\nthree', 'after');
  });

  it('leaves out an update that the driver cannot read, and goes on', async () => {
    await start();
    platform.write('ann', '/unreadable');
    platform.write('ann', 'hello');
    await shows('ann', 'hello');
    expect(troubles().map(({ message }) => message)).toEqual(['an update could not be read; it is left out']);
  });

  it('lists its state for operators', async () => {
    await start();
    await eventually(async () => {
      expect((await api('')).body).toEqual({
        items: [{ name: 'pigeon', state: 'connected', dead_letters: 0, since: expect.any(Number) }],
      });
    });
    expect((await fetchAs('/health')).body).toMatchObject({ connected_channels: ['pigeon'] });
  });
});

describe('what was written meanwhile', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'channels-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('[V-11] is read after a start where the platform keeps no queue', async () => {
    const store = { 'store.url': `sqlite:${join(folder, 'gateway.db')}` };
    await start(OPEN, { driver: TelegraphDriver, store });
    platform.write('ann', 'before');
    await shows('ann', 'before');
    await app?.close();
    platform.write('ann', 'meanwhile');
    platform.forget();
    await start(OPEN, { driver: TelegraphDriver, store, on: platform });
    await shows('ann', 'before', 'meanwhile');
  });

  it('[V-12] is kept as context and not answered when it is too old; the chat gets one note', async () => {
    await start();
    platform.write('ann', 'an old question', undefined, Date.now() - 2 * 3_600_000);
    platform.write('ann', '/help', undefined, Date.now() - 2 * 3_600_000);
    platform.write('ann', 'hello');
    await eventually(() => expect(platform.read('ann').toSorted()).toHaveLength(2));
    expect(platform.read('ann').filter((text) => text.startsWith('I could not be reached'))).toHaveLength(1);
    expect(platform.read('ann').filter((text) => text.includes('hello'))).toHaveLength(1);
  });
});

describe('who may talk', () => {
  it('[V-05] an unknown sender gets one code, and is let in when an operator approves it', async () => {
    await start({});
    platform.write('eve', 'let me in');
    await eventually(() => expect(platform.read('eve')).toHaveLength(1));
    platform.write('eve', 'please');
    await eventually(() => expect(platform.pending).toBe(0));
    const code = /\b[A-Z2-9]{8}\b/.exec(platform.read('eve')[0] ?? '')?.[0] ?? '';
    expect((await api('/pigeon/pairings')).body).toMatchObject({ items: [{ sender: 'eve', code }] });
    expect((await api('/pigeon/pairings/WRONG/approve', 'POST')).status).toBe(404);
    expect((await api(`/pigeon/pairings/${code.toLowerCase()}/approve`, 'POST')).status).toBe(200);
    platform.write('eve', 'thank you');
    await shows('eve', code, 'thank you');
    expect(JSON.stringify(logs.entries)).not.toContain('let me in');
  });

  it('[V-05] a sender who was let in can be put out again, and one who waits, too', async () => {
    await start({});
    const codeOf = async (sender: string) => {
      await eventually(() => expect(platform.read(sender)).not.toEqual([]));
      return /\b[A-Z2-9]{8}\b/.exec(platform.read(sender).at(-1) ?? '')?.[0] ?? '';
    };
    platform.write('eve', 'let me in');
    await api(`/pigeon/pairings/${await codeOf('eve')}/approve`, 'POST');
    platform.write('eve', 'thank you');
    await eventually(() => expect(platform.read('eve').join()).toContain('thank you'));
    expect((await api('/pigeon/senders')).body).toMatchObject({ items: [{ sender: 'eve' }] });
    expect((await api('/pigeon/senders/eve', 'DELETE')).status).toBe(204);
    expect((await api('/pigeon/senders/eve', 'DELETE')).status).toBe(404);
    platform.write('eve', 'and this?');
    await eventually(() => expect(platform.read('eve').at(-1)).toContain('Your code is'));
    expect((await api('/pigeon/pairings')).body).toMatchObject({ items: [{ sender: 'eve' }] });
    expect((await api('/pigeon/senders/eve', 'DELETE')).status).toBe(204);
    expect((await api('/pigeon/pairings')).body).toEqual({ items: [] });
  });

  it('[V-05] three requests wait at most; further strangers get no response', async () => {
    await start({});
    for (const sender of ['a', 'b', 'c', 'd']) platform.write(sender, 'hello');
    await eventually(() => expect(platform.pending).toBe(0));
    await shows('c', 'Your code is');
    expect(platform.read('d')).toEqual([]);
    expect((await api('')).body).toMatchObject({ items: [{ name: 'pigeon', turned_away: 1 }] });
  });

  it('[V-06] lists of senders and of groups decide, numbers and texts alike', async () => {
    await start({ dm_policy: 'allowlist', allow_from: [5001], groups: ['g1'], require_mention: false });
    platform.write('5001', 'hello');
    platform.write('5002', 'hello');
    platform.write('5002', 'in the group', 'g1');
    platform.write('5001', 'elsewhere', 'g2');
    await shows('5001', 'hello');
    await shows('g1', 'in the group');
    await eventually(() => expect(platform.pending).toBe(0));
    expect([platform.read('5002'), platform.read('g2')]).toEqual([[], []]);
  });

  it('in a group answers what addresses the agent', async () => {
    await start({ ...OPEN, group_policy: 'open' });
    platform.write('ann', 'nothing for you', 'g1');
    platform.write('ann', '@openclaw hello', 'g1');
    await shows('g1', 'hello');
  });

  it('refuses a bot that is open by accident', async () => {
    await expect(start({ dm_policy: 'open' })).rejects.toThrow('channels.pigeon.dm_policy: is `open`');
  });
});

describe('a call that needs an approval', () => {
  const settings = { ...OPEN, group_policy: 'open', require_mention: false };
  const store = { 'tools.approvals': ['session.info'] };
  const asks = (chat: string) =>
    eventually(() => expect(platform.read(chat).at(-1)).toContain('May I run session.info?'));

  it('[V-23] is allowed by a button; its message ends with the outcome, without buttons, also when pressed twice', async () => {
    await start(settings, { store });
    platform.write('ann', '/tool session.info {}');
    await asks('ann');
    const [message] = platform.shown.filter(({ buttons }) => buttons.length > 0);
    const decisions: string[] = [];
    app?.app.get(ApprovalsService, { strict: false }).onDecided((_, { decision }) => decisions.push(decision));
    platform.press('ann', 'ann', 'Approve');
    platform.press('ann', 'ann', 'Approve');
    await eventually(() => expect(message).toMatchObject({ text: 'session.info: approved', buttons: [] }));
    platform.write('ann', 'and now');
    await eventually(() => expect(platform.read('ann').at(-1)).toContain('and now'));
    expect(platform.read('ann').some((text) => text.includes('too late'))).toBe(false);
    await eventually(() => expect(decisions).toEqual(['allow']));
  });

  it('[V-23] in a group is decided by the person who asked; anybody else gets one line', async () => {
    await start(settings, { store });
    platform.write('ann', '/tool session.info {}', 'g1');
    await asks('g1');
    platform.press('eve', 'g1', 'Approve');
    await eventually(() => expect(platform.read('g1').at(-1)).toContain('Only the person who asked for it and admins'));
    platform.press('ann', 'g1', 'Deny');
    await eventually(() => expect(platform.read('g1').join()).toContain('session.info: denied'));
    platform.act('ann', 'g1', {}, '/approve a_none');
    await eventually(() => expect(platform.read('g1').at(-1)).toContain('There is no such call'));
  });

  it('[V-23] is decided by a command where there are no buttons', async () => {
    await start(settings, { store, driver: TelegraphDriver });
    platform.write('ann', '/tool session.info {}');
    await eventually(() => expect(platform.read('ann').join()).toContain('Answer /approve a_'));
    const [, command = ''] = /(\/approve \S+)/.exec(platform.read('ann').join(' ')) ?? [];
    platform.write('ann', command);
    await eventually(() => expect(platform.read('ann').join()).toContain('session.info: approved'));
  });
});

it('[V-27] the reply to a message that came from elsewhere reaches the chat of its session', async () => {
  await start({ ...OPEN, group_policy: 'open', require_mention: false });
  platform.write('ann', 'hello');
  platform.write('ann', 'all together', 'g1');
  await shows('ann', 'hello');
  await shows('g1', 'all together');
  const connections = app?.app.get(MemoryConnectionsService, { strict: false });
  const other = connections?.open({ principal: LOCAL_OPERATOR, clientId: 'schedule', take: () => {} });
  other?.submit({ id: '1', payload: { channel: 'pigeon', sender: 'ann', content: 'from a schedule' } });
  other?.submit({
    id: '2',
    payload: { channel: 'pigeon', sender: 'ann', group_id: 'g1', content: '@openclaw to all' },
  });
  await shows('ann', 'hello', 'from a schedule');
  await shows('g1', 'all together', 'to all');
  other?.submit({ id: '3', payload: { channel: 'pigeon', sender: 'bob', content: 'a first word' } });
  await shows('bob', 'a first word');
  await api('/pigeon/stop', 'POST');
  other?.submit({ id: '4', payload: { channel: 'pigeon', sender: 'carl', content: 'while it was stopped' } });
  other?.submit({ id: '5', payload: { channel: 'pigeon', sender: 'bob', content: 'a second word' } });
  await api('/pigeon/start', 'POST');
  await shows('carl', 'while it was stopped');
  await shows('bob', 'a first word', 'a second word');
});

it('[V-26] a channel is stopped, started and tested by an operator', async () => {
  await start();
  platform.write('ann', 'hello');
  await shows('ann', 'hello');
  const about = (body: unknown) => (body as { items: object[] }).items[0];
  const times = { last_in_at: expect.any(Number), last_out_at: expect.any(Number) };
  expect(about((await api('')).body)).toMatchObject({ name: 'pigeon', state: 'connected', dead_letters: 0, ...times });
  expect((await api('/pigeon/stop', 'POST')).body).toMatchObject({ state: 'stopped' });
  const test = () => fetchAs('/admin/v1/channels/pigeon/test', 'POST', { chat: 'ann' });
  expect((await test()).body).toEqual({ state: 'waiting', reason: 'the channel is not connected' });
  platform.write('ann', 'are you there');
  expect((await api('/pigeon/start', 'POST')).body).toMatchObject({ state: expect.stringMatching(/^connect/) });
  await shows('ann', 'hello', 'are you there');
  expect((await test()).body).toEqual({ state: 'sent' });
  platform.failNext({ outcome: 'refused' });
  expect((await test()).body).toEqual({ state: 'dead', reason: 'the call failed: refused' });
  expect((await api('/pigeon/restart', 'POST')).status).toBe(200);
  expect((await api('/fax/stop', 'POST')).status).toBe(404);
  await eventually(() => expect(states()).toBe('connected'));
});

describe('trouble with a platform', () => {
  it('[V-07] what was not sent is sent again; what the platform asks to wait for is waited for', async () => {
    const clock = new ManualClock();
    await start({ ...OPEN, streaming: 'final' }, { clock });
    platform.failNext({ outcome: 'not_sent' }, { outcome: 'not_sent', retryAfterMs: 90_000 });
    platform.write('ann', 'hello', undefined, clock.now());
    await turnUntil(clock, () => expect(platform.calls).toBe(2));
    const before = clock.now();
    await turnUntil(clock, () => expect(platform.read('ann')).toHaveLength(1));
    expect(clock.now() - before).toBeGreaterThanOrEqual(89_000);
    await eventually(() => expect([parts('sent'), parts('possibly_twice'), parts('dead')]).toEqual([1, 0, 0]));
  });

  it('[V-08] a lost response is counted when the part is sent again', async () => {
    const clock = new ManualClock();
    await start({ ...OPEN, streaming: 'final' }, { clock });
    platform.failNext({ outcome: 'unknown', takesEffect: true });
    platform.write('ann', 'hello', undefined, clock.now());
    await turnUntil(clock, () => expect(platform.read('ann')).toHaveLength(2));
    await eventually(() => expect([parts('sent'), parts('possibly_twice'), parts('dead')]).toEqual([1, 1, 0]));
  });

  it('[V-09] what the platform refuses is given up at once, and the next reply goes out', async () => {
    await start({ ...OPEN, streaming: 'final' });
    platform.failNext({ outcome: 'refused' });
    platform.write('ann', 'to nowhere');
    platform.write('ann', 'hello');
    await shows('ann', 'hello');
    await eventually(() => expect([parts('sent'), parts('dead')]).toEqual([1, 1]));
  });

  it('[V-13] what was given up is listed, and sent again or deleted by an operator', async () => {
    await start({ ...OPEN, streaming: 'final' });
    platform.failNext({ outcome: 'refused' }, { outcome: 'refused' });
    platform.write('ann', 'to nowhere');
    await eventually(() => expect(parts('dead')).toBe(1));
    platform.write('bob', 'to nowhere too');
    await eventually(() => expect(parts('dead')).toBe(2));
    const list = async () => ((await fetchAs('/admin/v1/dead-letters')).body as { items: { id: number }[] }).items;
    const [second, first] = await list();
    expect(second).toMatchObject({
      kind: 'channel',
      channel: 'pigeon',
      chat: 'bob',
      text: expect.stringContaining('to nowhere too'),
    });
    expect((await fetchAs('/health')).body).toMatchObject({ status: 'degraded' });
    const next = async (query: string) => {
      const { status, body } = await fetchAs(`/admin/v1/dead-letters?${query}`);
      return [status, (body as { items?: { id: number }[] }).items?.map(({ id }) => id)];
    };
    const { next: cursor } = (await fetchAs('/admin/v1/dead-letters?kind=channel&limit=1')).body as { next: string };
    expect(await next(`kind=channel&limit=1&cursor=${cursor}`)).toEqual([200, [first?.id]]);
    expect([await next(`limit=1&cursor=${cursor}`), await next('kind=letter')]).toEqual([
      [400, undefined],
      [400, undefined],
    ]);
    expect((await fetchAs(`/admin/v1/dead-letters/${first?.id}/retry`, 'POST')).status).toBe(204);
    await shows('ann', 'to nowhere');
    expect((await fetchAs(`/admin/v1/dead-letters/${second?.id}`, 'DELETE')).status).toBe(204);
    expect((await fetchAs(`/admin/v1/dead-letters/${second?.id}`, 'DELETE')).status).toBe(404);
    expect([await list(), platform.read('bob')]).toEqual([[], []]);
  });

  it('[V-09] what cannot be sent within its time is given up', async () => {
    const clock = new ManualClock();
    await start({ ...OPEN, streaming: 'final', delivery_max_age_ms: 60_000 }, { clock });
    platform.failNext({ outcome: 'not_sent', retryAfterMs: 61_000 });
    platform.write('ann', 'hello', undefined, clock.now());
    await turnUntil(clock, () => expect(parts('dead')).toBe(1));
    expect(platform.calls).toBe(1);
  });

  it('[V-10] a platform that is down for ten minutes loses nothing', async () => {
    const clock = new ManualClock();
    await start(OPEN, { clock });
    await turnUntil(clock, () => expect(states()).toBe('connected'));
    platform.isDown = true;
    platform.write('ann', 'before', undefined, clock.now());
    platform.failNext(...Array.from({ length: 10 }, () => ({ outcome: 'not_sent' }) as const));
    await clock.advanceAsync(600_000);
    expect(states()).not.toBe('connected');
    platform.isDown = false;
    platform.write('ann', 'after', undefined, clock.now());
    await turnUntil(clock, () => expect(platform.read('ann')).toHaveLength(2), 5_000);
    await shows('ann', 'before', 'after');
    expect(parts('possibly_twice')).toBe(0);
  });

  it('[V-14] what the gateway refuses for a while waits, in its chat only', async () => {
    const clock = new ManualClock();
    await start(OPEN, { clock, store: { 'limits.messages_per_minute': 1 } });
    for (const text of ['one', 'two', 'three']) platform.write('ann', text, undefined, clock.now());
    platform.write('bob', 'hello', undefined, clock.now());
    await turnUntil(clock, () => expect(platform.read('bob')).toHaveLength(1));
    expect(platform.pending).toBe(0);
    expect(platform.read('ann').length).toBeLessThan(3);
    await turnUntil(clock, () => expect(platform.read('ann')).toHaveLength(3));
    await shows('ann', 'one', 'two', 'three');
  });

  it('[V-14] what the platform takes later waits, in its chat only', async () => {
    const clock = new ManualClock();
    await start({ ...OPEN, streaming: 'final' }, { clock });
    platform.failNext({ outcome: 'not_sent', retryAfterMs: 1_800_000 });
    platform.write('ann', 'hello', undefined, clock.now());
    await turnUntil(clock, () => expect(platform.calls).toBe(1));
    platform.write('bob', 'hello', undefined, clock.now());
    await turnUntil(clock, () => expect(platform.read('bob')).toHaveLength(1));
    expect(platform.read('ann')).toEqual([]);
    await turnUntil(clock, () => expect(platform.read('ann')).toHaveLength(1), 10_000);
  });

  it('[V-10] replies that wait for a platform are read from the log again when there are many', async () => {
    const clock = new ManualClock();
    await start({ ...OPEN, streaming: 'final' }, { clock });
    await turnUntil(clock, () => expect(states()).toBe('connected'));
    platform.failNext({ outcome: 'not_sent', retryAfterMs: 1_800_000 });
    const texts = Array.from({ length: 40 }, (_, n) => `number ${n} of many`);
    for (const text of texts) platform.write('ann', text, undefined, clock.now());
    await turnUntil(clock, () => expect(platform.read('ann')).toHaveLength(40));
    await shows('ann', ...texts);
    await eventually(() => expect([parts('sent'), parts('possibly_twice'), parts('dead')]).toEqual([40, 0, 0]));
  });

  it('a revoked credential stops the channel alone, and its parts wait for the next run', async () => {
    const clock = new ManualClock();
    await start({ ...OPEN, streaming: 'final' }, { clock });
    platform.failNext({ outcome: 'bad_credential' });
    platform.write('ann', 'hello', undefined, clock.now());
    await turnUntil(clock, () => expect(states()).toBe('error'));
    expect((await api('')).body).toMatchObject({ items: [{ reason: 'the credential was revoked' }] });
    await turnUntil(clock, () => expect(platform.read('ann')).toHaveLength(1), 10_000);
    await eventually(() => expect([parts('sent'), parts('possibly_twice'), parts('dead')]).toEqual([1, 0, 0]));
  });
});

function states(): string | undefined {
  return app?.app.get(ChannelManagerService, { strict: false }).states.get('pigeon')?.state;
}
