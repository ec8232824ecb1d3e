import { afterEach, beforeEach, expect, it } from 'vitest';
import { APP_TOKEN, BOT_TOKEN, FakeSlack, TEAM } from '../../../test/support/fake-slack.js';
import {
  DeliveryError,
  type ChannelLink,
  type Part,
  type PartText,
  type RecentChat,
  type Update,
} from '../../core/channels/driver.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { SlackAccounts } from './accounts.js';
import { SlackDriver } from './slack.driver.js';
import type { SlackSettings } from './slack.settings.js';

const ANN = 'U0ANN0001';
const DIRECT = `D${ANN}`;
const TEAM_CHANNEL = 'C0TEAM001';

let slack: FakeSlack;
let clock: ManualClock;
let accounts: SlackAccounts;
let drivers: SlackDriver[];
let received: Update[];
let failures: Error[];
let reasons: (string | undefined)[];
let kept: string[];
let chats: RecentChat[];
let closed: string[];

beforeEach(async () => {
  slack = await FakeSlack.start();
  clock = new ManualClock();
  accounts = new SlackAccounts();
  [drivers, received, failures, reasons, kept, chats, closed] = [[], [], [], [], [], [], []];
});
afterEach(async () => {
  for (const driver of drivers) await driver.stop();
  expect(slack.faults).toEqual([]);
  await slack.close();
});

async function keepFile(body: AsyncIterable<Uint8Array>) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  kept.push(bytes.toString('latin1'));
  return { mediaId: `f_${kept.length}`, mimeType: 'audio/mp4', sizeBytes: bytes.length };
}

async function start(settings: object = {}): Promise<SlackDriver> {
  const link = {
    channel: 'slack',
    account: 'default',
    settings: {
      bot_token: BOT_TOKEN,
      app_token: APP_TOKEN,
      api_root: slack.apiRoot,
      reply_in_thread: true,
      ...settings,
    },
    requiresMention: true,
    log: new SilentLogs().for(),
    receive: async (updates: readonly Update[]) => void received.push(...updates),
    listChats: async () => chats,
    closeGap: async (chat: string) => void closed.push(chat),
    takesPart: async () => false,
    keepFile,
    openFile: async () => ({ mimeType: 'image/png', sizeBytes: 3, body: [Buffer.from('png')] }),
    noteTime: () => {},
    degrade: (reason: string | undefined) => void reasons.push(reason),
    fail: (error: Error) => void failures.push(error),
  } as unknown as ChannelLink<SlackSettings>;
  const driver = new SlackDriver(clock, accounts);
  drivers.push(driver);
  await driver.start(link, new AbortController().signal);
  return driver;
}

const aPart = (place: Partial<Part['place']> = {}, ...texts: readonly PartText[]): Part => ({
  id: 'm_1.0',
  createdAt: Date.now(),
  place: { chat: DIRECT, ...place },
  texts: texts.length > 0 ? texts : [{ kind: 'text', text: 'hello' }],
});
const PICTURE: PartText = { kind: 'image', text: 'A red dot', alt: 'A red dot', source: 'https://gateway.example/f_1' };

async function receive(count: number): Promise<void> {
  await expect.poll(() => received.length).toBe(count);
}

it('a part is found by its metadata, in a chat and in a thread, and is certainly absent elsewhere', async () => {
  const driver = await start();
  const thread = slack.nextTs();
  slack.keep({ type: 'message', channel: TEAM_CHANNEL, user: ANN, ts: thread, text: 'above' });
  for (const place of [{}, { chat: TEAM_CHANNEL, thread }]) {
    const part = aPart(place);
    expect(await driver.lookUp(part)).toBe('absent');
    const ref = await driver.send(part);
    for (let n = 0; n < 130; n++) await driver.send({ ...part, id: `m_2.${n}` });
    expect(await driver.lookUp(part)).toEqual({ ref });
    expect(await driver.lookUp({ ...part, id: 'm_3.0' })).toBe('absent');
  }
});

it('a part that was sent without its thread, because that is gone, is found in the chat', async () => {
  const driver = await start();
  const part = aPart({ chat: TEAM_CHANNEL, thread: '1.000001' });
  slack.failNext('chat.postMessage', { error: 'thread_not_found' }, { drop: 'after' });
  await expect(driver.send(part)).rejects.toMatchObject({ outcome: 'unknown' });
  slack.failNext('conversations.replies', { error: 'thread_not_found' });
  expect(await driver.lookUp(part)).toEqual({ ref: slack.shown(TEAM_CHANNEL)[0]?.ts });
});

it('a reply whose message Slack does not change any more goes on in another, also in the next run', async () => {
  const driver = await start();
  const show = (text: string) => aPart({}, { kind: 'text', text });
  const texts = () => slack.shown(DIRECT).map(({ text }) => text);
  const ref = await driver.send(show('one'));
  slack.failNext('chat.update', { error: 'edit_window_closed' });
  await driver.edit(ref, show('one two'));
  await driver.edit(ref, show('one two three'));
  expect(texts()).toEqual(['one', 'one two three']);
  slack.failNext('chat.update', { error: 'cant_update_message' });
  await (await start()).edit(ref, show('one two three four'));
  expect(texts()).toEqual(['one', 'one two three four']);
});

it('a block of code that is too long for a message is a file with its extension, and is found by its name', async () => {
  const driver = await start();
  const part = aPart({}, { kind: 'file', text: '[code]', name: 'code.ts', source: 'data:...' });
  const ref = await driver.send(part);
  const [call] = slack.callsOf('files.getUploadURLExternal');
  expect(call?.['filename']).toMatch(/^file-[0-9a-f]{12}\.ts$/);
  expect(await driver.lookUp(part)).toEqual({ ref });
});

it('a part that is a file is found by its name, is not edited, and is deleted', async () => {
  const driver = await start();
  const part = aPart({}, PICTURE);
  expect(await driver.lookUp(part)).toBe('absent');
  slack.failNext('files.completeUploadExternal', { drop: 'after' });
  await expect(driver.send(part)).rejects.toMatchObject({ outcome: 'unknown' });
  const found = (await driver.lookUp(part)) as { readonly ref: string };
  expect(slack.read(DIRECT)).toEqual(['A red dot']);
  expect(slack.shown(DIRECT)[0]?.files?.[0]?.bytes?.toString()).toBe('png');
  await driver.edit(found.ref, part);
  await driver.remove(found.ref, part.place);
  expect(slack.read(DIRECT)).toEqual([]);
});

it('a file that fails before it is shared was not sent', async () => {
  const driver = await start();
  slack.failNext('files.getUploadURLExternal', { drop: 'after' });
  await expect(driver.send(aPart({}, PICTURE))).rejects.toMatchObject({ outcome: 'not_sent' });
});

it('a method that Slack limits for the workspace is not called before its time, a post in another chat is', async () => {
  const driver = await start();
  const ref = await driver.send(aPart());
  slack.failNext('chat.update', { status: 429, retryAfter: 30 });
  for (let n = 0; n < 3; n++)
    await expect(driver.edit(ref, aPart())).rejects.toMatchObject({ outcome: 'not_sent', retryAfterMs: 30_000 });
  expect(slack.callsOf('chat.update')).toHaveLength(1);
  await clock.advanceAsync(30_000);
  await driver.edit(ref, aPart());
  slack.failNext('chat.postMessage', { status: 429, retryAfter: 30 });
  await expect(driver.send(aPart())).rejects.toBeInstanceOf(DeliveryError);
  await driver.send(aPart({ chat: 'DU0BO00001' }));
});

it('an edit of more than Slack takes is refused, so its parts are cut before', async () => {
  const driver = await start();
  const ref = await driver.send(aPart());
  await expect(driver.edit(ref, aPart({}, { kind: 'text', text: 'x'.repeat(4_002) }))).rejects.toMatchObject({
    outcome: 'refused',
  });
  expect(driver.measure([{ kind: 'text', text: '&'.repeat(800) }])).toBe(4_000);
});

it('buttons are below a text, and an edit without them takes them away', async () => {
  const driver = await start();
  const buttons = [{ text: 'Approve', data: 'a:a_1' }];
  const ref = await driver.send({ ...aPart(), buttons });
  const blocks = (method: string) => JSON.parse(String(slack.callsOf(method).at(-1)?.['blocks'])) as unknown;
  expect(blocks('chat.postMessage')).toEqual([
    { type: 'section', text: { type: 'mrkdwn', text: 'hello' } },
    {
      type: 'actions',
      elements: [
        { type: 'button', action_id: 'button_0', text: { type: 'plain_text', text: 'Approve' }, value: 'a:a_1' },
      ],
    },
  ]);
  await driver.edit(ref, aPart());
  expect(blocks('chat.update')).toEqual([]);
  const long = { kind: 'text', text: `${'x'.repeat(2_000)}\n${'y'.repeat(1_500)}` } as const;
  await driver.send({ ...aPart({}, long), buttons });
  expect(blocks('chat.postMessage')).toHaveLength(3);
});

it('the place of a person is their direct chat, which Slack opens', async () => {
  const driver = await start();
  expect(await driver.findPlace({ sender: 'T0OTHER01/U0ANN0001' })).toEqual({ chat: DIRECT });
  expect(await driver.findPlace({ groupId: TEAM_CHANNEL, threadId: '1.2' })).toEqual({
    chat: TEAM_CHANNEL,
    thread: '1.2',
    isGroup: true,
  });
  slack.failNext('conversations.open', { error: 'user_not_found' });
  await expect(driver.findPlace({ sender: 'U0NONE001' })).rejects.toMatchObject({ outcome: 'refused' });
});

it('the status of a thread is renewed every 90 s, and taken back; other chats have none', async () => {
  const driver = await start();
  const thread = slack.nextTs();
  slack.keep({ type: 'message', channel: TEAM_CHANNEL, user: ANN, ts: thread, text: 'above' });
  const place = { chat: TEAM_CHANNEL, thread };
  const statuses = () => slack.callsOf('assistant.threads.setStatus').map(({ status }) => status);
  for (let s = 0; s < 100; s += 4) {
    await driver.showTyping(place);
    await driver.showTyping({ chat: DIRECT });
    await clock.advanceAsync(4_000);
  }
  expect(statuses()).toEqual(['is thinking…', 'is thinking…']);
  await driver.hideTyping(place);
  await driver.hideTyping(place);
  expect(statuses()).toEqual(['is thinking…', 'is thinking…', '']);
  await driver.showTyping(place);
  await driver.send(aPart(place));
  await driver.hideTyping(place);
  expect(statuses()).toHaveLength(4);
});

it('a file is fetched with the token, through the redirects of Slack', async () => {
  const driver = await start();
  slack.files.set('voice', { bytes: Buffer.alloc(0), redirect: '/files/voice-2' });
  slack.files.set('voice-2', { bytes: Buffer.from('a voice') });
  const file = { id: 'F1', name: 'audio_message.m4a', mimetype: 'audio/mp4', size: 7 };
  slack.write(ANN, '', {
    subtype: 'file_share',
    files: [{ ...file, url_private_download: `${slack.url}/files/voice` }],
  });
  await receive(1);
  expect(await driver.read([received[0]!])).toEqual({
    kind: 'message',
    message: {
      content: '',
      sender_name: `Person ${ANN}`,
      attachments: [
        { kind: 'audio', media_id: 'f_1', mime_type: 'audio/mp4', size_bytes: 7, name: 'audio_message.m4a' },
      ],
    },
  });
  expect(kept).toEqual(['a voice']);
});

it('a page in place of a file, a file elsewhere and one that is gone leave the text, with a note', async () => {
  const driver = await start();
  slack.files.set('page', { bytes: Buffer.from('\n<!DOCTYPE html><title>Sign in</title>') });
  slack.files.set('away', { bytes: Buffer.alloc(0), redirect: 'https://evil.example/x' });
  const files = ['page', 'gone', 'away'].map((name) => ({ id: name, name, url_private: `${slack.url}/files/${name}` }));
  const elsewhere = { id: 'F9', name: 'x\u202Efdp.exe', url_private: 'https://slack.com.evil.example/x' };
  slack.write(ANN, 'read this', { files: [...files, elsewhere] });
  await receive(1);
  expect(await driver.read([received[0]!])).toEqual({
    kind: 'message',
    message: { content: 'read this', sender_name: `Person ${ANN}` },
    note:
      'I could not read file, page: Slack gives a page in its place; file, gone: Slack responds with HTTP 404; ' +
      'file, away: its address is not one of Slack; file, xfdp.exe: its address is not one of Slack',
  });
});

it('a file of a shared channel is asked for', async () => {
  const driver = await start();
  slack.files.set('shared', { bytes: Buffer.from('bytes') });
  slack.fileInfos.set('F2', { id: 'F2', url_private_download: `${slack.url}/files/shared` });
  slack.write(ANN, 'see', { files: [{ id: 'F2', file_access: 'check_file_info' }, { id: 'F3' }] });
  await receive(1);
  expect(await driver.read([received[0]!])).toMatchObject({
    message: { attachments: [{ media_id: 'f_1' }] },
    note: 'I could not read file: file_not_found',
  });
});

it('a look-up of a name that Slack limits is tried again, one that it refuses leaves the name out', async () => {
  const driver = await start();
  slack.write(ANN, 'hello');
  await receive(1);
  slack.failNext('users.info', { status: 429, retryAfter: 5 });
  await expect(driver.read([received[0]!])).rejects.toMatchObject({ outcome: 'not_sent', retryAfterMs: 5_000 });
  await clock.advanceAsync(5_000);
  slack.failNext('users.info', { error: 'user_not_visible' });
  expect(await driver.read([received[0]!])).toEqual({ kind: 'message', message: { content: 'hello' } });
});

it('the same post under two times is taken once', async () => {
  await start();
  const post = slack.write(ANN, 'hello');
  slack.deliver({ ...post, ts: slack.nextTs() });
  slack.write(ANN, 'another');
  await receive(2);
  expect(received.map(({ raw }) => (raw as { readonly text: string }).text)).toEqual(['hello', 'another']);
});

it('an event for another workspace with the same app goes to its account, or is ignored', async () => {
  await start();
  const taken: object[] = [];
  const running = new AbortController();
  const take = async (one: object) => void taken.push(one);
  accounts.add('other', { team: 'T0OTHER01', signingSecret: undefined, take }, running.signal);
  slack.deliver({ type: 'message' }, { authorizations: [{ team_id: 'T0OTHER01' }] });
  await expect.poll(() => taken).toHaveLength(1);
  running.abort();
  slack.deliver({ type: 'message' }, { authorizations: [{ team_id: 'T0OTHER01' }] });
  slack.write(ANN, 'hello', { team: TEAM });
  await receive(1);
  expect(taken).toHaveLength(1);
});

it('what was missed is waited for as long as Slack limits its history, and the gap of a chat is closed behind it', async () => {
  const since = Date.now() - 60_000;
  const lose = (text: string, more: object = {}) => {
    const event = { type: 'message', channel: DIRECT, user: ANN, ts: slack.nextTs(), text, ...more };
    slack.keep(event);
    return event;
  };
  lose('before', { ts: slack.nextTs(61) });
  const { ts } = lose('missed');
  lose('in the thread of it', { thread_ts: ts });
  const known = { sentAt: since, since };
  chats = [
    { ...known, place: { chat: DIRECT } },
    { ...known, place: { chat: TEAM_CHANNEL, thread: '1.000001', isGroup: true } },
  ];
  const limited = { status: 429, retryAfter: 60 };
  slack.failNext('conversations.history', limited, limited, limited);
  slack.failNext('conversations.replies', limited);
  slack.chaos = (method, { channel }) =>
    method === 'conversations.history' && channel === TEAM_CHANNEL ? { error: 'channel_not_found' } : undefined;
  await start();
  const live = slack.write(ANN, 'live');
  await clock.advanceAsync(2_000);
  await receive(1);
  expect(closed).toEqual([]);
  await expect
    .poll(async () => (await clock.advanceAsync(1_000), received.length), { timeout: 15_000, interval: 2 })
    .toBe(4);
  expect(clock.elapsed()).toBeGreaterThanOrEqual(240_000);
  expect(slack.callsOf('conversations.history').filter(({ channel }) => channel === DIRECT)).toHaveLength(4);
  expect(received.map(({ raw }) => (raw as { readonly text: string }).text)).toEqual([
    'live',
    'missed',
    'in the thread of it',
    'live',
  ]);
  expect(received[3]?.id).toBe(`slack:${TEAM}:${DIRECT}:${String(live['ts'])}`);
  await expect.poll(() => reasons.at(-1)).toMatch(/1 chats/);
  expect(closed).toEqual([DIRECT]);
});

it('of more than 200 posts that were missed the newest are read, and the state says so', async () => {
  const since = Date.now() - 3_600_000;
  for (let n = 0; n < 230; n++)
    slack.keep({ type: 'message', channel: DIRECT, user: ANN, ts: slack.nextTs(300 - n), text: String(n) });
  chats = [{ sentAt: since, since, place: { chat: DIRECT } }];
  await start();
  await receive(200);
  expect(received.map(({ raw }) => (raw as { readonly text: string }).text).slice(0, 2)).toEqual(['30', '31']);
  await expect.poll(() => reasons.at(-1)).toMatch(/1 chats .* not all/);
});

it('connections of other programs with the token are reported', async () => {
  slack.sockets.others = 2;
  await start();
  expect(reasons.at(-1)).toBe('2 other connections use the token of the app');
});

it('a connection that is lost, silent or switched off ends the run', async () => {
  await start();
  slack.sockets.drop();
  await expect.poll(() => failures).toMatchObject([{ fault: 'unreachable' }]);
  await start();
  slack.sockets.say({ type: 'disconnect', reason: 'link_disabled' });
  await expect.poll(() => failures[1]).toMatchObject({ fault: 'misconfigured' });
  slack.sockets.nextGreeting = { type: 'nothing' };
  const starting = start().catch((error: unknown) => error);
  await expect.poll(() => slack.sockets.connections).toBe(2);
  await clock.advanceAsync(20_000);
  expect(await starting).toMatchObject({ fault: 'unreachable' });
});
