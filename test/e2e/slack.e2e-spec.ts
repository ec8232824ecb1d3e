import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sign } from '../../src/channels/slack/accounts.js';
import { ChannelManagerService } from '../../src/core/channels/channel-manager.service.js';
import { FakeMetrics } from '../../src/testing/fake-metrics.js';
import { eventually } from '../support/eventually.js';
import { APP_TOKEN, BOT_TOKEN, BOT_USER, FakeSlack, SIGNING_SECRET } from '../support/fake-slack.js';
import { GatewayApp, withTokens } from '../support/gateway-app.js';
import { RecordingLogs } from '../support/recording-logs.js';

let app: GatewayApp | undefined;
let slack: FakeSlack;
let logs: RecordingLogs;
let metrics: FakeMetrics;

const OPEN = { dm_policy: 'open', allow_from: ['*'], streaming: 'final' };
const ANN = 'U0ANN0001';
const DIRECT = `D${ANN}`;
const TEAM_CHANNEL = 'C0TEAM001';
const FORM = 'application/x-www-form-urlencoded';

/** A delivery to the gateway; `sent` is the body where it is not the one that was signed. */
interface Delivery {
  readonly account: string;
  readonly timestamp: string;
  readonly secret: string;
  readonly signature: string;
  readonly sent: string;
  readonly type: string;
}

const mention = `<@${BOT_USER}>`;
const inTeam = { channel: TEAM_CHANNEL, channel_type: 'channel' };

async function start(settings: Readonly<Record<string, unknown>> = OPEN): Promise<void> {
  logs = new RecordingLogs();
  metrics = new FakeMetrics();
  const own = {
    bot_token: BOT_TOKEN,
    app_token: APP_TOKEN,
    api_root: slack.apiRoot,
    groups: [TEAM_CHANNEL],
    ...settings,
  };
  app = await GatewayApp.start({
    settings: {
      ...withTokens,
      ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`channels.slack.${key}`, value])),
    },
    logs,
    metrics,
  });
}

beforeEach(async () => {
  slack = await FakeSlack.start();
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  expect(slack.faults).toEqual([]);
  await slack.close();
});

const shows = (channel: string, ...texts: readonly string[]) =>
  eventually(() => {
    const shown = slack.read(channel);
    expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
  });

const parts = (outcome: string) => metrics.read('openclaw_channel_parts_total', { channel: 'slack', outcome });
const state = () => app?.app.get(ChannelManagerService, { strict: false }).states.get('slack');
const isConnected = () => eventually(() => expect(state()?.state).toBe('connected'));

describe('the channel slack', () => {
  it('[V-29] answers a message, and acknowledges it', async () => {
    await start();
    slack.write(ANN, 'hello from ann');
    await shows(DIRECT, 'hello from ann');
    await eventually(() => expect(slack.sockets.waiting).toBe(0));
    expect(parts('possibly_twice')).toBe(0);
    expect(slack.callsOf('chat.postMessage')).toMatchObject([
      { unfurl_links: 'false', link_names: 'false', parse: 'none' },
    ]);
  });

  it('[V-29] answers a mention once, in a thread of its own, although it comes in two events', async () => {
    await start();
    const post = slack.write(ANN, `${mention} status of order 17?`, inTeam);
    slack.deliver({ ...post, type: 'app_mention', channel_type: undefined });
    await shows(TEAM_CHANNEL, 'status of order 17?');
    await eventually(() => expect(slack.sockets.waiting).toBe(0));
    expect(slack.shown(TEAM_CHANNEL)).toMatchObject([{ thread_ts: post['ts'] }]);
  });

  it('answers in a thread in which it has answered, without a mention, also after a restart', async () => {
    await start();
    const { ts } = slack.write(ANN, `${mention} draft the note`, inTeam);
    await shows(TEAM_CHANNEL, 'draft the note');
    slack.write(ANN, 'shorter, please', { ...inTeam, thread_ts: ts });
    await shows(TEAM_CHANNEL, 'draft the note', 'shorter, please');
    slack.write(ANN, 'nothing for the bot', inTeam);
    const { ts: other } = slack.write(ANN, 'a thread of people', inTeam);
    slack.write(ANN, 'a reply of people', { ...inTeam, thread_ts: other });
    slack.write(ANN, 'and longer', { ...inTeam, thread_ts: ts });
    await shows(TEAM_CHANNEL, 'draft the note', 'shorter, please', 'and longer');
    expect(slack.shown(TEAM_CHANNEL).every((one) => one.thread_ts === ts)).toBe(true);
  });

  it('waits for mentions in threads when that is set', async () => {
    await start({ ...OPEN, require_mention_in_threads: true });
    const { ts } = slack.write(ANN, `${mention} one`, inTeam);
    await shows(TEAM_CHANNEL, 'one');
    slack.write(ANN, 'two', { ...inTeam, thread_ts: ts });
    slack.write(ANN, `${mention} three`, { ...inTeam, thread_ts: ts });
    await shows(TEAM_CHANNEL, 'one', 'three');
  });

  it('shows a reply that grows by editing it, in parts that an edit can have', async () => {
    await start({ ...OPEN, streaming: 'edit' });
    slack.write(ANN, '/blocks 700 1');
    await eventually(() => expect(slack.read(DIRECT).join('\n\n')).toContain('block 700'));
    expect(slack.read(DIRECT).join('\n\n')).toBe(Array.from({ length: 700 }, (_, n) => `block ${n + 1}`).join('\n\n'));
    expect(slack.callsOf('chat.postMessage')).toHaveLength(slack.shown(DIRECT).length);
    expect(slack.shown(DIRECT).length).toBeGreaterThan(1);
  });

  it('[V-29] shows a reply in a thread that grows as a stream, which ends with the reply', async () => {
    await start({ ...OPEN, streaming: 'edit' });
    slack.write(ANN, `${mention} /blocks 700 1`, inTeam);
    const texts = Array.from({ length: 700 }, (_, n) => `block ${n + 1}`);
    await eventually(() => {
      expect(slack.read(TEAM_CHANNEL).join('\n\n')).toBe(texts.join('\n\n'));
      expect(slack.shown(TEAM_CHANNEL).some(({ isStreaming }) => isStreaming)).toBe(false);
    });
    expect(slack.callsOf('chat.startStream').length).toBeGreaterThan(0);
    expect(slack.callsOf('chat.stopStream')).toHaveLength(slack.callsOf('chat.startStream').length);
    await eventually(() => expect([parts('possibly_twice'), parts('dead')]).toEqual([0, 0]));
  });

  it('sends plain text when its markup is refused, and without its thread when that is gone', async () => {
    await start();
    slack.failNext('chat.postMessage', { error: 'invalid_blocks' }, { error: 'thread_not_found' });
    slack.write(ANN, `${mention} **bold** & <i>`, inTeam);
    await shows(TEAM_CHANNEL, '**bold** & <i>');
    const [, second, third] = slack.callsOf('chat.postMessage');
    expect(second).toMatchObject({ mrkdwn: 'false', text: expect.stringContaining('**bold** &amp; &lt;i&gt;') });
    expect(third).not.toHaveProperty('thread_ts');
  });

  it('waits as long as a 429 says, and holds up no other chat', async () => {
    await start();
    slack.failNext('chat.postMessage', { status: 429, retryAfter: 1 });
    const askedAt = performance.now();
    slack.write(ANN, 'hello');
    await eventually(() => expect(slack.callsOf('chat.postMessage')).toHaveLength(1));
    slack.write('U0BO00001', 'hello from bo');
    await shows('DU0BO00001', 'hello from bo');
    expect(slack.read(DIRECT)).toEqual([]);
    await shows(DIRECT, 'hello');
    expect(performance.now() - askedAt).toBeGreaterThan(1_000);
    await eventually(() => expect([parts('sent'), parts('possibly_twice'), parts('dead')]).toEqual([2, 0, 0]));
  });

  it('gives up a part for a chat that it is not in', async () => {
    await start();
    slack.failNext('chat.postMessage', { error: 'not_in_channel' });
    slack.write(ANN, 'to nowhere');
    slack.write(ANN, 'hello');
    await shows(DIRECT, 'hello');
    await eventually(() => expect(parts('dead')).toBe(1));
  });

  it('sends a stranger nothing but a code, also one of another workspace with the ID of a friend', async () => {
    await start({ allow_from: ['U0BO00001'] });
    slack.write(ANN, 'let me in');
    await eventually(() => expect(slack.read(DIRECT)).toHaveLength(1));
    expect(slack.read(DIRECT)[0]).toMatch(/Your code is [A-Z0-9]{8}\._$/);
    slack.write('U0BO00001', 'me too', { team: 'T0OTHER01' });
    await eventually(() => expect(slack.read('DU0BO00001')).toHaveLength(1));
    expect(slack.read('DU0BO00001')[0]).toMatch(/Your code is/);
    slack.write('U0BO00001', 'and the friend');
    await eventually(() => expect(slack.read('DU0BO00001')[1]).toContain('and the friend'));
  });

  it('passes over events that it cannot understand, and logs them', async () => {
    await start();
    await isConnected();
    for (const odd of ['not JSON', '7', '{}', { type: 'events_api' }, { type: 'new' }]) slack.sockets.say(odd);
    for (const odd of [{}, { event: null }, { event: 7 }, { event: { type: 'message' } }, { authorizations: 'x' }])
      slack.sockets.deliver('events_api', { type: 'event_callback', ...odd });
    slack.sockets.deliver('interactive', { type: 'block_actions', actions: [{}] });
    slack.sockets.deliver('slash_commands', { command: '/x' });
    for (const odd of [{ text: 7 }, { files: 'x' }, { ts: 'now' }, { user: null }, { channel: 7 }])
      slack.write(ANN, 'odd', odd);
    slack.write(ANN, 'hello');
    await eventually(() => expect(slack.read(DIRECT).at(-1)).toContain('hello'));
    await eventually(() => expect(slack.sockets.waiting).toBe(0));
    expect(state()?.state).toBe('connected');
    expect(logs.entries.some(({ message }) => message.includes('could not be understood'))).toBe(true);
  });

  it('replaces a connection that Slack is going to end before it closes it', async () => {
    await start();
    await isConnected();
    slack.sockets.say({ type: 'disconnect', reason: 'refresh_requested' });
    slack.write(ANN, 'hello');
    await shows(DIRECT, 'hello');
    await eventually(() => expect(slack.sockets.connections).toBe(1));
    expect(slack.callsOf('apps.connections.open')).toHaveLength(2);
    expect(slack.callsOf('auth.test')).toHaveLength(1);
  });

  it('reads what was posted while nothing was connected, in chats and threads, once and in order', async () => {
    await start();
    const { ts } = slack.write(ANN, `${mention} one`, inTeam);
    slack.write('U0BO00001', 'hello');
    await shows(TEAM_CHANNEL, 'one');
    await shows('DU0BO00001', 'hello');
    slack.sockets.nextGreeting = 'close';
    slack.sockets.drop();
    const lost = (user: string, text: string, more: object = {}) => {
      const event = { type: 'message', channel: `D${user}`, user, text, ts: slack.nextTs(), ...more };
      slack.keep(event);
      return event;
    };
    lost(ANN, 'two', { ...inTeam, thread_ts: ts });
    const parent = lost(ANN, `${mention} three`, inTeam);
    lost(ANN, 'four', { ...inTeam, thread_ts: parent.ts });
    lost('U0BO00001', 'are you there?');
    lost('U0BO00001', 'anybody?');
    await shows('DU0BO00001', 'hello', 'are you there?', 'anybody?');
    await eventually(() =>
      expect(slack.shown(TEAM_CHANNEL).map(({ thread_ts: thread }) => thread)).toEqual([ts, ts, parent.ts, parent.ts]),
    );
    expect(parts('possibly_twice')).toBe(0);
  });

  it('takes what Slack delivers to its URL, with its signature only', async () => {
    await start({ ...OPEN, app_token: undefined, signing_secret: SIGNING_SECRET });
    await isConnected();
    const now = String(Math.floor(Date.now() / 1_000));
    const post = async (body: string, changes: Partial<Delivery> = {}) => {
      const {
        account = 'default',
        timestamp = now,
        secret = SIGNING_SECRET,
        sent = body,
        type = 'application/json',
      } = changes;
      const signature = changes.signature ?? sign(secret, timestamp, Buffer.from(body));
      const headers = { 'content-type': type, 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp };
      return fetch(`${app?.url}/channels/slack/${account}/events`, { method: 'POST', headers, body: sent });
    };
    const event = {
      type: 'message',
      channel: DIRECT,
      channel_type: 'im',
      user: ANN,
      ts: slack.nextTs(),
      text: 'hello',
    };
    const body = JSON.stringify(slack.wrap(event));
    const statusOf = async (...all: Parameters<typeof post>) => (await post(...all)).status;
    expect(await statusOf(body, { secret: 'another' })).toBe(401);
    expect(await statusOf(body, { signature: 'v0=' })).toBe(401);
    expect(await statusOf(body, { account: 'other' })).toBe(401);
    expect(await statusOf(body, { timestamp: String(Number(now) - 301) })).toBe(401);
    expect(await statusOf(body, { timestamp: 'now' })).toBe(401);
    expect(await statusOf(body, { sent: body.replace('hello', 'hellO') })).toBe(401);
    expect(await statusOf(body, { sent: `${body} ` })).toBe(401);
    expect(await statusOf('x'.repeat(1_048_577))).toBe(413);
    expect([await statusOf('{'), await statusOf('payload=%7B', { type: FORM })]).toEqual([400, 400]);
    expect(slack.read(DIRECT)).toEqual([]);
    const challenge = await post(JSON.stringify({ type: 'url_verification', challenge: 'c-1' }));
    expect([challenge.status, await challenge.json()]).toEqual([200, { challenge: 'c-1' }]);
    expect([await statusOf(body), await statusOf(body), await statusOf('{}')]).toEqual([200, 200, 200]);
    await shows(DIRECT, 'hello');
    const press = {
      type: 'block_actions',
      user: { id: ANN },
      channel: { id: DIRECT },
      actions: [{ value: 'x', action_ts: '1.1' }],
    };
    const form = new URLSearchParams({ payload: JSON.stringify(press) }).toString();
    expect(await statusOf(form, { type: FORM })).toBe(200);
    expect(slack.sockets.connections).toBe(0);
  });

  it('is not started without a way for messages to arrive', async () => {
    await expect(start({ ...OPEN, app_token: undefined })).rejects.toThrow(/channels\.slack\.app_token/);
  });

  it('ends at a token that is refused, from the beginning and later', async () => {
    await start({ ...OPEN, bot_token: 'xoxb-another-token' });
    await eventually(() => expect(state()?.state).toBe('error'));
    await app?.close();
    await start({ ...OPEN, app_token: 'xapp-another-token' });
    await eventually(() => expect(state()?.state).toBe('error'));
    await app?.close();
    await start();
    await isConnected();
    slack.failNext('chat.postMessage', { error: 'token_revoked' });
    slack.write(ANN, 'hello');
    await eventually(() => expect(state()?.state).toBe('error'));
    expect(parts('dead')).toBe(0);
    await app?.close();
    await start();
    await isConnected();
    slack.deliver({ type: 'tokens_revoked', tokens: { bot: [BOT_USER] } });
    await eventually(() => expect(state()?.state).toBe('error'));
  });

  it('keeps its tokens out of logs, states and errors', async () => {
    await start();
    slack.failNext('chat.postMessage', { drop: 'before' }, { status: 500 });
    slack.write(ANN, 'hello');
    await isConnected();
    slack.sockets.drop();
    await slack.close();
    await eventually(() => expect(logs.entries.length).toBeGreaterThan(1));
    const all = inspect([logs.entries, state()], { depth: 12, showHidden: true });
    for (const secret of [BOT_TOKEN.slice(5), APP_TOKEN.slice(5), 'secret-ticket']) expect(all).not.toContain(secret);
    slack = await FakeSlack.start();
  });
});
