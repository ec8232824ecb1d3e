import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChannelManagerService } from '../../src/core/channels/channel-manager.service.js';
import { FakeMetrics } from '../../src/testing/fake-metrics.js';
import { eventually } from '../support/eventually.js';
import { BOT_ID, BOT_TOKEN, CHANNEL, FakeDiscord, refusedField, tooMany } from '../support/fake-discord.js';
import { GatewayApp, withTokens } from '../support/gateway-app.js';
import { RecordingLogs } from '../support/recording-logs.js';

let app: GatewayApp | undefined;
let discord: FakeDiscord;
let logs: RecordingLogs;
let metrics: FakeMetrics;

const OPEN = { dm_policy: 'open', allow_from: ['*'], streaming: 'final', groups: [CHANNEL] };
const ANN = '100000000000000001';

async function start(settings: Readonly<Record<string, unknown>> = OPEN): Promise<void> {
  logs = new RecordingLogs();
  metrics = new FakeMetrics();
  const own = { bot_token: BOT_TOKEN, api_root: discord.apiRoot, ...settings };
  app = await GatewayApp.start({
    settings: {
      ...withTokens,
      ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`channels.discord.${key}`, value])),
    },
    logs,
    metrics,
  });
}

const connected = () => eventually(() => expect(states()?.state).toBe('connected'));

beforeEach(async () => {
  discord = await FakeDiscord.start();
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  await discord.close();
});

const dm = () => discord.chatOf(ANN);
const shows = (chat: string, ...texts: readonly string[]) =>
  eventually(() => {
    const shown = discord.read(chat);
    expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
  });
const parts = (outcome: string) => metrics.read('openclaw_channel_parts_total', { channel: 'discord', outcome });
const states = () => app?.app.get(ChannelManagerService, { strict: false }).states.get('discord');
const mention = { channel_id: CHANNEL, mentions: [{ id: BOT_ID, username: 'acme-helper', bot: true }] };
const sends = () => discord.callsOf(/^POST .*messages$/);

describe('the channel discord', () => {
  it('answers in a direct chat, without pings and with a nonce', async () => {
    await start();
    await connected();
    discord.write(ANN, 'hello @everyone');
    await shows(dm(), 'hello');
    expect(sends()).toMatchObject([
      { allowed_mentions: { parse: [] }, enforce_nonce: true, nonce: expect.stringMatching(/^[\w-]{25}$/) },
    ]);
    expect(sends()[0]).not.toHaveProperty('message_reference');
    expect(discord.received.find(({ op }) => op === 2)).toMatchObject({ d: { intents: 46_593 } });
  });

  it('shows a reply that grows by editing it, within the limit of Discord', async () => {
    await start({ ...OPEN, streaming: 'edit' });
    await connected();
    discord.write(ANN, '/blocks 400 1');
    await eventually(() => expect(discord.read(dm()).join('\n\n')).toContain('block 400'));
    const words = Array.from({ length: 400 }, (_, n) => ['block', String(n + 1)]).flat();
    expect(discord.read(dm()).join(' ').split(/\s+/)).toEqual(words);
    expect(sends()).toHaveLength(discord.shown.length);
  });

  it('answers in a channel when it is mentioned, as a reply, and in a thread in the thread', async () => {
    await start();
    await connected();
    discord.write(ANN, 'nothing for the bot', { channel_id: CHANNEL });
    const asked = discord.write(ANN, `<@${BOT_ID}> hello`, mention);
    await shows(CHANNEL, 'hello');
    expect(sends()).toMatchObject([{ message_reference: { message_id: asked['id'], fail_if_not_exists: false } }]);
    const thread = '600000000000000009';
    discord.openThread(thread);
    for (const text of ['in the thread', 'again'])
      discord.write(ANN, `<@${BOT_ID}> ${text}`, { ...mention, channel_id: thread, channel_type: 11 });
    await shows(thread, 'in the thread', 'again');
    expect(discord.callsOf(new RegExp(`^GET /channels/${thread}$`))).toHaveLength(1);
  });

  it('answers what comes twice once, and survives events that are odd', async () => {
    await start();
    await connected();
    const message = discord.write(ANN, 'hello');
    discord.deliver('MESSAGE_CREATE', message);
    for (const odd of [{}, { id: 5 }, { ...message, id: 'x', author: null }, { ...message, content: null, id: '9' }])
      for (const name of ['MESSAGE_CREATE', 'MESSAGE_UPDATE', 'GUILD_CREATE', 'GUILD_ROLE_UPDATE', 'NEW_THING'])
        discord.deliver(name, odd);
    discord.write(ANN, 'another');
    await eventually(() => expect(discord.read(dm()).filter((text) => /hello|another/.test(text))).toHaveLength(2));
    expect(states()?.state).toBe('connected');
  });

  it('passes over previews, and keeps edits as context', async () => {
    await start();
    await connected();
    const message = discord.write(ANN, 'hello');
    await shows(dm(), 'hello');
    discord.deliver('MESSAGE_UPDATE', { ...message, embeds: [{ type: 'link' }] });
    const edited_timestamp = new Date(Date.now() + 1).toISOString();
    discord.deliver('MESSAGE_UPDATE', { ...message, content: 'hello again', edited_timestamp });
    discord.write(ANN, 'and now');
    await shows(dm(), 'hello', 'and now');
    await eventually(() => expect(parts('sent')).toBe(2));
  });

  it('waits as long as Discord says, and sends then', async () => {
    await start();
    await connected();
    discord.failNext('POST messages', tooMany(0.2, { global: true }));
    const askedAt = performance.now();
    discord.write(ANN, 'hello');
    await shows(dm(), 'hello');
    expect(performance.now() - askedAt).toBeGreaterThan(200);
    await eventually(() => expect([parts('sent'), parts('possibly_twice'), parts('dead')]).toEqual([1, 0, 0]));
    expect(sends()).toHaveLength(2);
  });

  it('sends without what Discord refuses: the text with markup, the message that it replies to', async () => {
    await start();
    await connected();
    discord.failNext(
      'POST messages',
      refusedField('content', 'BASE_TYPE_BAD_LENGTH'),
      refusedField('message_reference', 'REPLIES_UNKNOWN_MESSAGE'),
    );
    discord.write(ANN, `<@${BOT_ID}> a|b`, mention);
    await shows(CHANNEL, 'a|b');
    expect(sends().at(-1)).not.toHaveProperty('message_reference');
  });

  it('[V-30] sends again what may have been sent, without a second message', async () => {
    await start();
    await connected();
    discord.failNext('POST messages', { drop: 'after' });
    discord.write(ANN, 'hello');
    await eventually(() => expect(parts('sent')).toBe(1));
    expect(discord.read(dm())).toHaveLength(1);
    expect([sends().length, parts('possibly_twice'), parts('dead')]).toEqual([2, 0, 0]);
  });

  it('gives up a part for a person who takes no messages', async () => {
    await start();
    await connected();
    discord.failNext('POST messages', { status: 403, body: { message: 'Cannot send', code: 50_007 } });
    discord.write(ANN, 'to nowhere');
    discord.write(ANN, 'hello');
    await shows(dm(), 'hello');
    await eventually(() => expect(parts('dead')).toBe(1));
  });

  it('sends a stranger nothing but a code', async () => {
    await start({});
    await connected();
    discord.write(ANN, 'let me in');
    await eventually(() => expect(discord.read(dm())).toHaveLength(1));
    expect(discord.read(dm())[0]).toMatch(/Your code is [A-Z0-9]{8}\.$/);
  });

  it('[V-30] resumes after a lost connection, and misses nothing', async () => {
    await start();
    await connected();
    discord.askToReconnect();
    discord.write(ANN, 'one');
    discord.write(ANN, 'two');
    await shows(dm(), 'one', 'two');
    expect(discord.received.filter(({ op }) => op === 2)).toHaveLength(1);
    expect(discord.received.filter(({ op }) => op === 6)).toHaveLength(1);
  });

  it('reads what was written while no session was open, and answers it once and in order', async () => {
    await start();
    await connected();
    discord.write(ANN, 'first');
    discord.write(ANN, `<@${BOT_ID}> first`, mention);
    await shows(dm(), 'first');
    await shows(CHANNEL, 'first');
    discord.disconnect(1_000, true);
    for (const text of ['second', 'third']) {
      discord.keep(discord.write(ANN, text));
      discord.write(ANN, `<@${BOT_ID}> ${text}`, mention);
    }
    await shows(dm(), 'first', 'second', 'third');
    await shows(CHANNEL, 'first', 'second', 'third');
    await connected();
  });

  it('[V-30] reads the first messages of chats that it has never heard of, and nothing that is not for it', async () => {
    const [thread, other] = ['600000000000000009', '600000000000000077'];
    discord.openThread(thread);
    discord.openChannel(other);
    discord.write(ANN, `<@${BOT_ID}> in the channel`, mention);
    discord.write(ANN, `<@${BOT_ID}> in the thread`, { ...mention, channel_id: thread, channel_type: 11 });
    discord.write(ANN, `<@${BOT_ID}> elsewhere`, { ...mention, channel_id: other });
    discord.write(ANN, 'to the bot');
    const bob = '100000000000000002';
    discord.write(bob, 'before');
    await start({ ...OPEN, allow_from: [ANN, '*'] });
    await shows(CHANNEL, 'in the channel');
    await shows(thread, 'in the thread');
    await shows(dm(), 'to the bot');
    discord.write(bob, 'and now');
    await shows(discord.chatOf(bob), 'before', 'and now');
    expect(discord.callsOf(new RegExp(`^GET /channels/${other}/messages`))).toEqual([]);
    expect(discord.callsOf(/^POST .*users\/@me\/channels$/)).toHaveLength(1);
  });

  it('[V-30] reads the first message of a person who was let in before the gateway was away', async () => {
    await start({});
    await connected();
    discord.write(ANN, 'let me in');
    await eventually(() => expect(discord.read(dm())).toHaveLength(1));
    const [code = ''] = /[A-Z0-9]{8}(?=\.)/.exec(discord.read(dm())[0] ?? '') ?? [];
    const manager = app?.app.get(ChannelManagerService, { strict: false });
    await manager?.approvePairing('discord', code, 'operator');
    discord.disconnect(1_000, true);
    discord.write(ANN, 'am I in?');
    await eventually(() => expect(discord.read(dm()).at(-1)).toContain('am I in?'));
  });

  it('ends at a token that is refused, from the beginning and later', async () => {
    await start({ ...OPEN, bot_token: 'another-token-unknown.x.y' });
    await eventually(() => expect(states()).toMatchObject({ state: 'error', reason: /token/ }));
    await app?.close();
    await start();
    await connected();
    discord.disconnect(4_004);
    await eventually(() => expect(states()).toMatchObject({ state: 'error', reason: /token \(4004\)/ }));
    expect(parts('dead')).toBe(0);
  });

  it.each([
    [4_014, /MESSAGE CONTENT INTENT/],
    [4_013, /intents/],
  ])('says which setting is wrong at Discord: close code %d', async (code, reason) => {
    discord.refusal = code;
    await start();
    await eventually(() => expect(states()).toMatchObject({ state: 'error', reason }));
  });

  it('begins no session when few are left', async () => {
    discord.remaining = 50;
    await start();
    await eventually(() => expect(states()).toMatchObject({ state: 'error', reason: /60 min/ }));
    expect(discord.received).toEqual([]);
  });

  it('takes a connection without acknowledged heartbeats for dead', async () => {
    discord.heartbeatMs = 60;
    discord.acknowledges = false;
    await start();
    await eventually(() => expect(discord.received.filter(({ op }) => op === 6).length).toBeGreaterThan(0));
    discord.acknowledges = true;
    await connected();
    discord.write(ANN, 'hello');
    await shows(dm(), 'hello');
  });

  it('gives files to the agent, and asks again for a link that has expired', async () => {
    const url = (name: string) => `${discord.url}/attachments/${name}?ex=1`;
    const file = (name: string) => ({ id: '1', filename: name, size: 33, url: url(name), content_type: 'image/png' });
    discord.files.set(
      'a.png',
      Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
    );
    await start();
    await connected();
    discord.failNext('GET file', { status: 404 });
    const message = { ...discord.write(ANN, 'see', { attachments: [file('a.png')] }) };
    discord.keep(message);
    await shows(dm(), 'see');
    expect(discord.callsOf(/^GET .*messages\/\d+$/)).toHaveLength(1);
    const elsewhere = { ...file('b.png'), url: 'https://example.com/b.png' };
    discord.write(ANN, 'and this', { attachments: [elsewhere] });
    await eventually(() =>
      expect(discord.read(dm()).some((text) => text.includes('its address is not one of Discord'))).toBe(true),
    );
  });

  it('sends the files of a reply', async () => {
    await start();
    await connected();
    discord.write(ANN, '/demo');
    await eventually(() => expect(discord.read(dm()).at(-1)).toContain('That was one block of each type.'));
    const files = discord.shown.filter(({ attachments }) => attachments.length > 0);
    expect(files.map(({ attachments }) => attachments[0]?.['filename'])).toEqual(['image.svg', 'audio.wav']);
    expect((files[1]?.['file'] as Buffer).subarray(0, 4).toString()).toBe('RIFF');
    expect(files[0]?.['payload']).toMatchObject({ attachments: [{ id: '0', description: 'A red dot' }] });
    expect([parts('possibly_twice'), parts('dead')]).toEqual([0, 0]);
  });

  it('shows that a reply is being written, and never again after a refusal', async () => {
    await start();
    await connected();
    discord.failNext('POST typing', { status: 403, body: { message: 'Missing Permissions', code: 50_013 } });
    for (const text of ['/blocks 3 100', 'hello']) {
      discord.write(ANN, text);
      await eventually(() => expect(discord.read(dm())).toHaveLength(text === 'hello' ? 2 : 1));
    }
    expect(discord.callsOf(/typing$/)).toHaveLength(1);
  });

  it('keeps its token out of logs, states and errors', async () => {
    await start();
    await connected();
    discord.failNext('POST messages', { drop: 'before' });
    discord.write(ANN, 'hello');
    await shows(dm(), 'hello');
    await discord.close();
    await eventually(() => expect(logs.entries.length).toBeGreaterThan(3));
    const all = inspect([logs.entries, states()], { depth: 12, showHidden: true });
    expect(all).not.toContain(BOT_TOKEN.slice(30));
    discord = await FakeDiscord.start();
  });
});
