import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BOT_ID,
  BOT_TOKEN,
  CHANNEL,
  FakeDiscord,
  GUILD,
  refusedField,
  tooMany,
  type Payload,
} from '../../../test/support/fake-discord.js';
import { DriverError, type ChannelLink, type Part, type RecentChat, type Update } from '../../core/channels/driver.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { SystemClock } from '../../core/time/clock.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { DiscordDriver } from './discord.driver.js';
import type { DiscordSettings } from './discord.settings.js';
import { DiscordRest } from './rest.js';
import { toTime } from './updates.js';

const ANN = '100000000000000001';
const THREAD = '600000000000000009';

let discord: FakeDiscord;
let drivers: DiscordDriver[];
let given: Update[];
let reasons: (string | undefined)[];
let failures: Error[];
let chats: RecentChat[];
let storeFault: Error | undefined;

beforeEach(async () => {
  discord = await FakeDiscord.start();
  [drivers, given, reasons, failures, chats] = [[], [], [], [], []];
  storeFault = undefined;
});
afterEach(async () => {
  for (const driver of drivers) await driver.stop();
  await discord.close();
});

async function receive(updates: readonly Update[]): Promise<void> {
  const fault = storeFault;
  storeFault = undefined;
  if (fault) throw fault;
  given.push(...updates);
}

async function start(): Promise<DiscordDriver> {
  const link = {
    channel: 'discord',
    account: 'default',
    settings: { bot_token: BOT_TOKEN, api_root: discord.apiRoot },
    log: new SilentLogs().for(),
    receive,
    listChats: async () => chats,
    closeGap: async () => {},
    listPeople: async () => [],
    admits: () => true,
    answersSince: Date.now() - 3_600_000,
    openFile: async () => ({ mimeType: 'image/png', sizeBytes: 3, body: [Buffer.from('png')] }),
    noteTime: () => {},
    degrade: (reason: string | undefined) => void reasons.push(reason),
    fail: (error: Error) => void failures.push(error),
  } as unknown as ChannelLink<DiscordSettings>;
  const driver = new DiscordDriver(new SystemClock());
  drivers.push(driver);
  await driver.start(link, new AbortController().signal);
  return driver;
}

const aPart = (more: Partial<Part> = {}): Part => ({
  id: 'm_1.0',
  createdAt: Date.now(),
  place: { chat: discord.chatOf(ANN) },
  texts: [{ kind: 'text', text: 'hello' }],
  ...more,
});
const received = async (count: number) => {
  await expect.poll(() => given.length).toBe(count);
};
const contents = () => given.map(({ raw }) => (raw as { readonly message: Payload }).message['content']);

describe('what was missed', () => {
  it('is read up to 200 messages of a chat, oldest first, and the state says that there were more', async () => {
    const all = Array.from({ length: 251 }, (_, n) => discord.write(ANN, String(n)));
    const place = { chat: discord.chatOf(ANN) };
    chats = [{ place, sentAt: 0, since: toTime(String(all[0]?.['id'])) }];
    await start();
    await received(200);
    expect(contents()).toEqual(all.slice(0, 200).map(({ content }) => content));
    expect(given[0]).not.toHaveProperty('groupId');
    expect(reasons.at(-1)).toMatch(/1 chats/);
  });

  it('in a thread belongs to the channel of the thread, and what is too old is left out', async () => {
    discord.openThread(THREAD);
    discord.write(ANN, 'old', { channel_id: THREAD, id: discord.makeId(Date.now() - 7_200_000) });
    discord.write(ANN, 'new', { channel_id: THREAD });
    const place = { chat: THREAD, isGroup: true };
    chats = [{ place, sentAt: 0, since: Date.now() - 3_600_000 }];
    await start();
    await received(1);
    expect(contents()).toEqual(['new']);
    expect(given[0]).toMatchObject({ groupId: CHANNEL, place: { chat: THREAD, thread: THREAD, isGroup: true } });
  });

  it('in a chat that is gone is not missing, and a call that fails for a while is repeated', async () => {
    const seen = { sentAt: 0, since: 0 };
    chats = [
      { ...seen, place: { chat: '799' } },
      { ...seen, place: { chat: discord.chatOf(ANN) } },
    ];
    discord.write(ANN, 'hello');
    discord.failNext(`GET /channels/${discord.chatOf(ANN)}/messages`, { drop: 'after' });
    await start();
    await received(1);
    expect(reasons.at(-1)).toBeUndefined();
  });
});

it('[V-30] what was missed and could not be stored ends the run: the next one reads it', async () => {
  discord.write(ANN, 'hello');
  chats = [{ place: { chat: discord.chatOf(ANN) }, sentAt: 0, since: 0 }];
  storeFault = new Error('the store is not available');
  await start();
  await expect.poll(() => failures).toMatchObject([{ fault: 'unreachable', message: 'the store is not available' }]);
  await start();
  await received(1);
});

describe('a session', () => {
  it('goes on after a frame that is none, and after one that Discord ends the run is over', async () => {
    await start();
    discord.sendRaw('{not json');
    await expect.poll(() => discord.received.some(({ op }) => op === 6)).toBe(true);
    discord.write(ANN, 'hello');
    await received(1);
    discord.disconnect(4_009, true);
    await expect.poll(() => failures).toMatchObject([{ fault: 'unreachable' }]);
  });

  it('gets an event again whose channel could not be looked up', async () => {
    discord.openThread(THREAD);
    await start();
    discord.failNext(`GET /channels/${THREAD}`, { status: 502 });
    discord.write(ANN, 'one', { channel_id: THREAD, channel_type: 11 });
    discord.write(ANN, 'two');
    await received(2);
    expect(contents()).toEqual(['one', 'two']);
    expect(given[0]).toMatchObject({ groupId: CHANNEL });
  });

  it('ends with a token that was revoked, wherever that shows', async () => {
    await start();
    discord.openThread(THREAD);
    discord.failNext(`GET /channels/${THREAD}`, { status: 401, body: {} });
    discord.write(ANN, 'one', { channel_id: THREAD, channel_type: 11 });
    await expect.poll(() => failures).toMatchObject([{ fault: 'bad_credential' }]);
  });

  it('knows the roles of a server as they change', async () => {
    await start();
    const member = { roles: ['910000000000000003'] };
    const write = (text: string) => discord.write(ANN, text, { channel_id: CHANNEL, member });
    write('one');
    const role = { id: '910000000000000003', permissions: '32' };
    discord.deliver('GUILD_ROLE_CREATE', { guild_id: GUILD, role });
    write('two');
    discord.deliver('GUILD_ROLE_DELETE', { guild_id: GUILD, role_id: role.id });
    write('three');
    discord.deliver('GUILD_DELETE', { id: GUILD });
    write('four');
    await received(4);
    expect(given.map(({ raw }) => (raw as { isAdmin: boolean }).isAdmin)).toEqual([false, true, false, false]);
  });
});

describe('a part', () => {
  it('that stands and cannot be brought up to date now was not refused: it is looked up, not sent again', async () => {
    const driver = await start();
    const show = (text: string) => aPart({ id: 'm_7.0', texts: [{ kind: 'text', text }] });
    await driver.send(show('one'));
    discord.failNext('PATCH messages', tooMany(60));
    await expect(driver.send(show('one two'))).rejects.toMatchObject({ outcome: 'unknown' });
    expect(discord.read(discord.chatOf(ANN))).toEqual(['one']);
  });

  it('that is sent again appears once, with the text that it has by then', async () => {
    const driver = await start();
    const ref = await driver.send(aPart());
    expect(await driver.send(aPart({ texts: [{ kind: 'text', text: 'hello again' }] }))).toBe(ref);
    expect(discord.read(discord.chatOf(ANN))).toEqual(['hello again']);
    await driver.remove(ref, aPart().place);
    await driver.remove(ref, aPart().place);
    const deleted = await driver.send(aPart());
    await driver.edit(deleted, aPart());
    await driver.remove(deleted, aPart().place);
    expect(discord.read(discord.chatOf(ANN))).toEqual([]);
  });

  it('whose nonce is too old is found among the newest messages, by its author, time and text', async () => {
    const driver = await start();
    expect(await driver.lookUp(aPart())).toBe('absent');
    discord.write(ANN, 'hello');
    const before = await driver.send(aPart({ id: 'm_0.0', texts: [{ kind: 'text', text: 'hello' }] }));
    const createdAt = Date.now() + 5_000;
    expect(await driver.lookUp(aPart({ createdAt }))).toBe('absent');
    expect(await driver.lookUp(aPart({ texts: [{ kind: 'markdown', text: '**hello** world' }] }))).toEqual({
      ref: before,
    });
    expect(await driver.lookUp(aPart({ texts: [{ kind: 'text', text: 'other' }] }))).toBe('absent');
    const headers = { date: new Date(Date.now() + 3_600_000).toUTCString() };
    const response = { status: 200, body: discord.shown, headers };
    discord.failNext('GET messages', response, response);
    expect(await driver.lookUp(aPart()), 'by one response with another time').toEqual({ ref: before });
    expect(await driver.lookUp(aPart()), 'by two of them').toBe('absent');
    discord.failNext('GET messages', { status: 403, body: { code: 50_013 } });
    expect(await driver.lookUp(aPart())).toBeUndefined();
  });

  it('for a thread that is locked has a reason of its own', async () => {
    const driver = await start();
    discord.failNext('POST messages', { status: 400, body: { message: 'Thread is locked', code: 160_005 } });
    await expect(driver.send(aPart())).rejects.toMatchObject({
      outcome: 'refused',
      message: /160005 Thread is locked/,
    });
  });

  it('that is older than 50 minutes, or may not be edited any more, goes on in another message', async () => {
    const driver = await start();
    const show = (text: string) => aPart({ texts: [{ kind: 'markdown', text }] });
    discord.sentAgoMs = 3_060_000;
    const ref = await driver.send(show('one\n\n```ts\ntwo\n```'));
    discord.sentAgoMs = 0;
    await driver.edit(ref, show('one\n\n```ts\ntwo\nthree\n```'));
    await driver.edit(ref, show('one\n\n```ts\ntwo\nthree\nfour\n```'));
    const shown = ['one\n\n```ts\ntwo\n```', '```\nthree\nfour\n```'];
    expect(discord.read(discord.chatOf(ANN))).toEqual(shown);
    const next = await start();
    discord.forgetNonces();
    discord.failNext('PATCH messages', tooMany(1, { code: 30_046 }));
    await next.edit(ref, show('one\n\n```ts\ntwo\nthree\nfour\nfive\n```'));
    expect(discord.read(discord.chatOf(ANN))).toEqual([...shown, '```\nfive\n```']);
  });

  it('is sent without the markup that makes it too long', async () => {
    const driver = await start();
    await driver.send(aPart({ texts: [{ kind: 'text', text: '*'.repeat(1_500) }] }));
    discord.failNext('POST messages', refusedField('content', 'BASE_TYPE_BAD_LENGTH'));
    await driver.send(aPart({ id: 'm_2.0', texts: [{ kind: 'text', text: 'a*b' }] }));
    expect(discord.read(discord.chatOf(ANN))).toEqual(['*'.repeat(1_500), 'a*b']);
  });
});

describe('the limits of Discord', () => {
  const clock = new ManualClock();
  const makeRest = () =>
    new DiscordRest({
      token: BOT_TOKEN,
      root: discord.apiRoot,
      fetch: globalThis.fetch as never,
      clock,
      noteTime: () => {},
    });
  const type = (rest: DiscordRest, chat: string) => rest.call('POST', `/channels/${chat}/typing`);

  it('hold for one route, or for all, and a long wait is left to the caller', async () => {
    const rest = makeRest();
    const [ann, bo] = [discord.chatOf(ANN), discord.chatOf('100000000000000002')];
    discord.failNext('POST typing', tooMany(60));
    await expect(type(rest, ann)).rejects.toMatchObject({ outcome: 'not_sent', retryAfterMs: 60_000 });
    await expect(type(rest, ann)).rejects.toMatchObject({ outcome: 'not_sent', retryAfterMs: 60_000 });
    await type(rest, bo);
    expect(discord.callsOf(/typing$/)).toHaveLength(2);
    discord.failNext('POST typing', tooMany(30, { global: true }));
    await expect(type(rest, bo)).rejects.toMatchObject({ isAccountWide: true });
    await expect(rest.call('GET', '/gateway/bot')).rejects.toMatchObject({ retryAfterMs: 30_000 });
    clock.advance(57_000);
    const waiting = type(rest, ann);
    await clock.advanceAsync(3_000);
    await waiting;
  });

  it('of an address come without a body, and hold for all', async () => {
    const rest = makeRest();
    discord.failNext('GET /gateway/bot', { status: 429, body: '<html>', headers: { 'retry-after': '9' } });
    await expect(rest.call('GET', '/gateway/bot')).rejects.toMatchObject({ retryAfterMs: 9_000, isAccountWide: true });
    await expect(type(rest, discord.chatOf(ANN))).rejects.toMatchObject({ outcome: 'not_sent' });
  });

  it('are kept before they are broken', async () => {
    const rest = makeRest();
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '2.5' };
    discord.failNext('GET /gateway/bot', { status: 200, body: {}, headers });
    await rest.call('GET', '/gateway/bot');
    const waiting = rest.call('GET', '/gateway/bot');
    await clock.advanceAsync(2_400);
    expect(discord.callsOf(/bot$/)).toHaveLength(1);
    await clock.advanceAsync(200);
    await waiting;
  });

  it('differ from a refused token and from a lost response', async () => {
    const rest = makeRest();
    discord.failNext(
      'GET /gateway/bot',
      { status: 401, body: {} },
      { status: 500, body: 'odd' },
      { status: 200, body: 'odd' },
    );
    await expect(rest.call('GET', '/gateway/bot')).rejects.toBeInstanceOf(DriverError);
    await expect(rest.call('GET', '/gateway/bot')).rejects.toMatchObject({ outcome: 'unknown' });
    await expect(rest.call('GET', '/gateway/bot')).rejects.toMatchObject({ outcome: 'unknown' });
  });
});

describe('what people do besides writing', () => {
  it('a press is answered, and is a command of the person who pressed', async () => {
    const driver = await start();
    await driver.send(
      aPart({
        buttons: [
          { text: 'Approve', data: 'a:a_1' },
          { text: 'Deny', data: 'd:a_1' },
        ],
      }),
    );
    const [sent] = discord.shown;
    expect(sent?.['payload']).toMatchObject({
      components: [{ components: [{ label: 'Approve', custom_id: 'a:a_1' }, { label: 'Deny' }] }],
    });
    discord.press(ANN, sent!.id, 'a:a_1');
    discord.press(ANN, sent!.id, 'x:odd');
    await received(2);
    expect(given[0]).toMatchObject({ id: expect.stringMatching(/^discord:cb:\d+$/), sender: ANN });
    expect(driver.read([given[0]!])).toMatchObject({ kind: 'message', message: { content: '/approve a_1' } });
    expect(driver.read([given[1]!])).toMatchObject({ kind: 'ignored' });
    expect(discord.callsOf(/^POST \/interactions/)).toEqual([{ type: 6 }, { type: 6 }]);
    await driver.edit(sent!.id, aPart({ texts: [{ kind: 'text', text: 'approved' }] }));
    expect(discord.callsOf(/^PATCH/)).toMatchObject([{ components: [] }]);
  });

  it('a reaction names the message, and a deletion its author', async () => {
    await start();
    const { id } = discord.write(ANN, 'hello') as { readonly id: string };
    const reaction = { user_id: ANN, channel_id: discord.chatOf(ANN), message_id: id };
    discord.deliver('MESSAGE_REACTION_ADD', { ...reaction, emoji: { id: null, name: '👍' } });
    discord.deliver('MESSAGE_REACTION_REMOVE', { ...reaction, emoji: { id: '5', name: 'party' } });
    discord.deliver('MESSAGE_REACTION_ADD', { ...reaction, user_id: BOT_ID, emoji: { id: null, name: '👍' } });
    discord.deliver('MESSAGE_DELETE', { id, channel_id: reaction.channel_id });
    discord.deliver('MESSAGE_DELETE', { id: '5', channel_id: reaction.channel_id });
    await received(4);
    expect(given.slice(1)).toMatchObject([
      { sender: ANN, reaction: { action: 'added', messageId: `discord:${id}`, ref: id, emoji: '👍' } },
      { sender: ANN, reaction: { action: 'removed', emoji: ':party:' } },
      { sender: ANN, change: { kind: 'deletion', messageId: `discord:${id}` } },
    ]);
    expect(new Set(given.map((update) => update.id)).size).toBe(4);
  });

  it('a reaction is known again in a session that goes on, and is another one in the next session', async () => {
    await start();
    const { id } = discord.write(ANN, 'hello') as { readonly id: string };
    const emoji = { id: null, name: '👍' };
    const react = (name: string) =>
      discord.deliver(`MESSAGE_REACTION_${name}`, {
        user_id: ANN,
        channel_id: discord.chatOf(ANN),
        message_id: id,
        emoji,
      });
    for (const name of ['ADD', 'REMOVE', 'ADD']) react(name);
    await received(4);
    expect(new Set(given.map((update) => update.id)).size).toBe(4);
    const known = given[1]?.id;
    await drivers[0]?.stop();
    discord.endSessions();
    await start();
    react('ADD');
    await received(5);
    expect(given[4]).toMatchObject({ reaction: { action: 'added' } });
    expect(given[4]?.id).not.toBe(known);
  });

  it('finds the place of a person and of a channel', async () => {
    const driver = await start();
    expect(await driver.findPlace({ sender: ANN })).toEqual({ chat: discord.chatOf(ANN) });
    expect(await driver.findPlace({ groupId: CHANNEL })).toEqual({ chat: CHANNEL, isGroup: true });
    const place = { chat: THREAD, thread: THREAD, isGroup: true };
    expect(await driver.findPlace({ groupId: CHANNEL, threadId: THREAD })).toEqual(place);
    discord.failNext('POST channels', { status: 400, body: { code: 50_033 } });
    expect(await driver.findPlace({ sender: ANN })).toBeUndefined();
  });

  it('a code block that is too long is a file', async () => {
    const driver = await start();
    await driver.send(aPart({ texts: [{ kind: 'file', text: '[code]', name: 'code.ts', source: 'data:...' }] }));
    expect(discord.shown[0]?.attachments).toMatchObject([{ filename: 'code.ts' }]);
    expect(String(discord.shown[0]?.['file'])).toBe('png');
  });
});
