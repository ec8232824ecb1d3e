import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChannelManagerService } from '../../src/core/channels/channel-manager.service.js';
import { FakeMetrics } from '../../src/testing/fake-metrics.js';
import { eventually } from '../support/eventually.js';
import { BOT_TOKEN, FakeTelegram, type Payload } from '../support/fake-telegram.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { RecordingLogs } from '../support/recording-logs.js';

let app: GatewayApp | undefined;
let telegram: FakeTelegram;
let logs: RecordingLogs;
let metrics: FakeMetrics;

const OPEN = { dm_policy: 'open', allow_from: ['*'], streaming: 'final' };
const ANN = 5001;

async function start(settings: Readonly<Record<string, unknown>> = OPEN): Promise<void> {
  logs = new RecordingLogs();
  metrics = new FakeMetrics();
  const own = { bot_token: BOT_TOKEN, api_root: telegram.url, ...settings };
  app = await GatewayApp.start({
    settings: {
      ...withTokens,
      ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`channels.telegram.${key}`, value])),
    },
    logs,
    metrics,
  });
}

beforeEach(async () => {
  telegram = await FakeTelegram.start();
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  await telegram.close();
});

const shows = (chat: number, ...texts: readonly string[]) =>
  eventually(() => {
    const shown = telegram.read(chat);
    expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
  });

const parts = (outcome: string) => metrics.read('openclaw_channel_parts_total', { channel: 'telegram', outcome });

const GROUP = { id: -1_001_000_000_012, type: 'supergroup', title: 'Acme team' };
const inGroup = { chat: GROUP, entities: [{ type: 'mention', offset: 0, length: 16 }] };
const TOO_MANY = { status: 429, description: 'Too Many Requests: retry after 1', parameters: { retry_after: 1 } };

const states = () => app?.app.get(ChannelManagerService, { strict: false }).states.get('telegram');

describe('the channel telegram', () => {
  it('[V-28] answers a message, and confirms it by the offset of the next poll', async () => {
    await start();
    telegram.write(ANN, 'hello from ann');
    await shows(ANN, 'hello from ann');
    await eventually(() => expect(telegram.pending).toBe(0));
    expect(parts('possibly_twice')).toBe(0);
    expect(telegram.polls.every((poll) => Array.isArray(poll['allowed_updates']))).toBe(true);
  });

  it('shows a reply that grows by editing it, within the limit of Telegram', async () => {
    await start({ ...OPEN, streaming: 'edit' });
    telegram.write(ANN, '/blocks 700 1');
    await eventually(() => expect(telegram.read(ANN).join('\n\n')).toContain('block 700'));
    expect(telegram.read(ANN).join('\n\n')).toBe(Array.from({ length: 700 }, (_, n) => `block ${n + 1}`).join('\n\n'));
    expect(telegram.callsOf('sendMessage')).toHaveLength(telegram.shown.length);
  });

  it('answers in a group when it is mentioned, as a reply, in the topic', async () => {
    await start({ ...OPEN, groups: [GROUP.id] });
    telegram.write(ANN, 'nothing for the bot', { chat: GROUP });
    const topic = { is_topic_message: true, message_thread_id: 163 };
    const asked = telegram.write(ANN, '@acme_helper_bot hello', { ...inGroup, ...topic });
    await shows(GROUP.id, 'hello');
    expect(telegram.callsOf('sendMessage')).toMatchObject([
      {
        message_thread_id: 163,
        reply_parameters: { message_id: asked['message_id'], allow_sending_without_reply: true },
      },
    ]);
  });

  it('answers what Telegram delivers twice once', async () => {
    await start();
    const message = telegram.write(ANN, 'hello');
    telegram.deliver({ message });
    await shows(ANN, 'hello');
    telegram.deliver({ message });
    telegram.write(ANN, 'another');
    await shows(ANN, 'hello', 'another');
  });

  it('passes over edits that change nothing visible, and keeps the others as context', async () => {
    await start();
    const message = telegram.write(ANN, 'hello');
    await shows(ANN, 'hello');
    telegram.deliver({ edited_message: { ...message, edit_date: message['date'] } });
    telegram.deliver({ edited_message: { ...message, edit_date: Number(message['date']) + 1, text: 'hello again' } });
    telegram.write(ANN, 'and now');
    await shows(ANN, 'hello', 'and now');
    await eventually(() => expect(parts('sent')).toBe(2));
  });

  it('takes an update whose ID is lower than the last one', async () => {
    await start();
    telegram.write(ANN, 'hello');
    await shows(ANN, 'hello');
    await eventually(() => expect(telegram.pending).toBe(0));
    telegram.restartIds();
    telegram.write(ANN, 'after a week');
    await shows(ANN, 'hello', 'after a week');
  });

  it('passes over updates that it cannot understand, and logs them', async () => {
    await start();
    for (const odd of [{}, { message: {} }, { message: null }, { message: { chat: 7 } }, { callback_query: {} }])
      telegram.deliver(odd);
    for (const odd of [{ text: 7 }, { entities: 'x' }, { from: null }, { date: 'now' }, { photo: [] }])
      telegram.write(ANN, 'odd', odd);
    telegram.write(ANN, 'hello');
    await eventually(() => expect(telegram.read(ANN).at(-1)).toContain('hello'));
    expect(states()?.state).toBe('connected');
    expect(logs.entries.some(({ message }) => message.includes('could not be understood'))).toBe(true);
  });

  it('waits as long as a 429 says, and sends then', async () => {
    await start();
    telegram.failNext('sendMessage', TOO_MANY);
    const askedAt = performance.now();
    telegram.write(ANN, 'hello');
    await shows(ANN, 'hello');
    expect(performance.now() - askedAt).toBeGreaterThan(1_000);
    await eventually(() => expect([parts('sent'), parts('possibly_twice'), parts('dead')]).toEqual([1, 0, 0]));
    expect(telegram.callsOf('sendMessage').every((call) => call['parse_mode'] === 'HTML')).toBe(true);
  });

  it('sends plain text when the markup is refused, in first messages and in edits', async () => {
    await start({ ...OPEN, streaming: 'edit' });
    const refused = { status: 400, description: "Bad Request: can't parse entities: Unexpected end tag" };
    telegram.failNext('sendMessage', refused);
    telegram.write(ANN, '**bold** & <i>');
    await shows(ANN, '**bold** & <i>');
    expect(telegram.callsOf('sendMessage').at(-1)).not.toHaveProperty('parse_mode');
  });

  it('sends without its topic when the topic is gone, and without the message it replies to', async () => {
    await start({ ...OPEN, groups: [GROUP.id] });
    const gone = (what: string) => ({ status: 400, description: `Bad Request: ${what} not found` });
    telegram.failNext('sendMessage', gone('message thread'), gone('message to be replied'));
    telegram.write(ANN, '@acme_helper_bot hello', { ...inGroup, is_topic_message: true, message_thread_id: 163 });
    await shows(GROUP.id, 'hello');
    const [, second, third] = telegram.callsOf('sendMessage');
    expect(second).not.toHaveProperty('message_thread_id');
    expect(third).not.toHaveProperty('reply_parameters');
    expect(third).toHaveProperty('parse_mode');
  });

  it('sends again what may have been sent, and counts it', async () => {
    await start();
    telegram.failNext('sendMessage', { drop: 'after' });
    telegram.write(ANN, 'hello');
    await shows(ANN, 'hello', 'hello');
    await eventually(() => expect([parts('sent'), parts('possibly_twice')]).toEqual([1, 1]));
  });

  it('gives up a part for a person who has blocked the bot', async () => {
    await start();
    telegram.failNext('sendMessage', { status: 403, description: 'Forbidden: bot was blocked by the user' });
    telegram.write(ANN, 'to nowhere');
    telegram.write(ANN, 'hello');
    await shows(ANN, 'hello');
    await eventually(() => expect(parts('dead')).toBe(1));
  });

  it('sends a stranger nothing but a code', async () => {
    await start({});
    telegram.write(ANN, 'let me in');
    await eventually(() => expect(telegram.read(ANN)).toHaveLength(1));
    expect(telegram.read(ANN)[0]).toMatch(/Your code is [A-Z0-9]{8}\.$/);
  });

  it('reads the items of an album, and a text that the client has cut, as one message', async () => {
    await start();
    const album = { media_group_id: '1', text: undefined, location: { latitude: 1, longitude: 2 } };
    telegram.write(ANN, '', album);
    telegram.write(ANN, '', album);
    await eventually(() => expect(telegram.read(ANN)).toHaveLength(1));
    telegram.write(ANN, `start ${'x'.repeat(3_600)}`);
    telegram.write(ANN, 'and its end');
    await eventually(() => expect(telegram.read(ANN).slice(1).join('')).toContain('and its end'));
    expect(telegram.read(ANN).slice(1).join('')).toContain('start');
    expect(parts('sent')).toBeLessThan(4);
  });

  it('keeps the session of a group that becomes a supergroup, and sends what is under way there', async () => {
    const load = (name: string) => JSON.parse(readFileSync(`test/inputs/telegram/${name}.json`, 'utf8')) as object[];
    const [oldSide, newSide, question] = load('group-migrated') as [object, object, { readonly message: object }];
    const [refusal] = load('send-to-migrated') as [
      { status: number; body: { description: string; parameters: object } },
    ];
    await start({ ...OPEN, groups: ['-4518000021'], max_age_ms: 3_600_000 });
    const date = Math.floor(Date.now() / 1_000);
    telegram.failNext('sendMessage', { ...refusal.body, status: refusal.status });
    telegram.write(ANN, '@acme_helper_bot hello', {
      ...inGroup,
      chat: { id: -4_518_000_021, type: 'group', title: 'Ops' },
    });
    await shows(-1_002_471_000_021, 'hello');
    telegram.deliver(oldSide);
    telegram.deliver(newSide);
    telegram.deliver({ message: { ...question.message, date } });
    await shows(-1_002_471_000_021, 'hello', 'still there?');
    const response = await fetch(`${app?.url}/health`, {
      headers: { authorization: `Bearer ${TOKENS.operator}` },
    });
    expect(await response.json()).toMatchObject({ active_sessions: 1 });
    expect(parts('dead')).toBe(0);
  });

  it('[V-28] obeys the commands of admins of a group, until their rights change', async () => {
    await start({ ...OPEN, groups: [GROUP.id] });
    telegram.admins.add(ANN);
    const command = { chat: GROUP, entities: [{ type: 'bot_command', offset: 0, length: 11 }] };
    telegram.write(5002, '/activation always', command);
    await eventually(() => expect(telegram.read(GROUP.id)).toHaveLength(1));
    telegram.write(ANN, '/activation always', command);
    await eventually(() => expect(telegram.read(GROUP.id)).toHaveLength(2));
    expect(telegram.callsOf('getChatAdministrators')).toHaveLength(1);
    telegram.write(5002, 'hello all', { chat: GROUP });
    await eventually(() => expect(telegram.read(GROUP.id).at(-1)).toContain('hello all'));
    telegram.admins.clear();
    telegram.deliver({ chat_member: { chat: GROUP, from: { id: 1 }, date: 1 } });
    telegram.write(ANN, '/activation mention', command);
    await eventually(() => expect(telegram.callsOf('getChatAdministrators')).toHaveLength(2));
    telegram.write(5002, 'still listening', { chat: GROUP });
    await eventually(() => expect(telegram.read(GROUP.id).at(-1)).toContain('still listening'));
  });

  it('gives pictures and voices to the agent, whatever they say that they are', async () => {
    telegram.files.set('voice-1', Buffer.from(`OggS${'\0'.repeat(24)}OpusHead${'\0'.repeat(64)}`));
    telegram.files.set(
      'photo-1',
      Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
    );
    telegram.files.set('fake.png', Buffer.from('#!/bin/sh\necho'));
    await start();
    telegram.write(ANN, '', { text: undefined, voice: { file_id: 'voice-1', duration: 1, file_size: 24 } });
    telegram.write(ANN, '', { text: undefined, caption: 'see', photo: [{ file_id: 'photo-1', file_size: 33 }] });
    await eventually(() => expect(telegram.callsOf('getFile')).toHaveLength(2));
    await eventually(() => expect(telegram.read(ANN)).not.toEqual([]));
    const fake = { file_id: 'fake.png', file_name: 'fake.png', mime_type: 'image/png' };
    telegram.write(ANN, '', { text: undefined, caption: 'look at this', document: fake });
    telegram.write(ANN, '', { text: undefined, document: { ...fake, file_size: 30_000_000 } });
    await eventually(() =>
      expect(telegram.read(ANN).filter((text) => text.includes('I could not read'))).toHaveLength(2),
    );
    await eventually(() => expect(telegram.read(ANN).some((text) => text.includes('look at this'))).toBe(true));
    expect(telegram.callsOf('getFile')).toHaveLength(3);
  });

  it('sends the files of a reply', async () => {
    await start({ ...OPEN, streaming: 'edit' });
    telegram.failNext('sendDocument', { status: 429, description: 'Too Many', parameters: { retry_after: 1 } });
    telegram.write(ANN, '/demo');
    await eventually(() => expect(telegram.read(ANN).at(-1)).toContain('That was one block of each type.'));
    const files = telegram.shown.filter(({ file }) => file);
    expect(files.map(({ text }) => text)).toEqual(['A red dot', 'Silence']);
    expect(files[1]?.file?.subarray(0, 4).toString()).toBe('RIFF');
    expect(parts('possibly_twice')).toBe(0);
  });

  it('shows that a reply is being written, and never again after a refusal', async () => {
    await start();
    telegram.failNext('sendChatAction', { status: 403, description: 'Forbidden: not enough rights' });
    for (const text of ['/blocks 3 100', 'hello']) {
      telegram.write(ANN, text);
      await eventually(() => expect(telegram.read(ANN)).toHaveLength(text === 'hello' ? 2 : 1));
    }
    expect(telegram.callsOf('sendChatAction')).toEqual([{ chat_id: String(ANN), action: 'typing' }]);
  });

  it('waits for the end of a poll of an earlier run', async () => {
    const conflict = JSON.parse(readFileSync('test/inputs/telegram/conflict-forms.json', 'utf8')) as {
      readonly status: number;
      readonly body: { readonly description: string };
    }[];
    const [terminated] = conflict.map(({ status, body }) => ({ status, description: body.description }));
    telegram.failNext('getUpdates', terminated!);
    await start();
    await eventually(() => expect(telegram.polls).toHaveLength(1));
    expect(states()?.state).toBe('connecting');
    telegram.write(ANN, 'hello');
    await expect.poll(() => telegram.read(ANN), { timeout: 20_000 }).toHaveLength(1);
  });

  it('removes a webhook that is set, and keeps the updates that wait', async () => {
    telegram.webhook = 'https://elsewhere.example/hook';
    telegram.write(ANN, 'hello');
    await start();
    await shows(ANN, 'hello');
    expect(telegram.callsOf('deleteWebhook')).toEqual([{}]);
  });

  it('takes what Telegram delivers to its URL, with its secret only', async () => {
    await start({ ...OPEN, webhook_url: 'https://gateway.example/channels/telegram/default' });
    await eventually(() => expect(telegram.callsOf('setWebhook')).toHaveLength(1));
    const [{ secret_token: secret, max_connections: connections }] = telegram.callsOf('setWebhook') as [Payload];
    expect(connections).toBe(1);
    const message = telegram.write(ANN, 'hello');
    const post = async (body: string, header: unknown, account = 'default') => {
      const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': String(header) };
      return (await fetch(`${app?.url}/channels/telegram/${account}`, { method: 'POST', headers, body })).status;
    };
    const body = JSON.stringify({ update_id: 1, message });
    expect(await post(body, 'wrong')).toBe(401);
    expect(await post(body, secret, 'other')).toBe(401);
    expect(await post('{', secret)).toBe(400);
    expect(await post(JSON.stringify({ update_id: 2, odd: 'x'.repeat(2_000_000) }), secret)).toBe(413);
    expect(telegram.read(ANN)).toEqual([]);
    expect([await post(body, secret), await post(body, secret), await post('{}', secret)]).toEqual([204, 204, 204]);
    await shows(ANN, 'hello');
    expect(telegram.polls).toEqual([]);
    expect(String(secret)).not.toContain(BOT_TOKEN.slice(11));
  });

  it('ends at a token that is refused, from the beginning and later', async () => {
    await start({ ...OPEN, bot_token: '7000000002:another-token-unknown' });
    await eventually(() => expect(states()?.state).toBe('error'));
    await app?.close();
    await start();
    await eventually(() => expect(states()?.state).toBe('connected'));
    telegram.failNext('sendMessage', { status: 401, description: 'Unauthorized' });
    telegram.write(ANN, 'hello');
    await eventually(() => expect(states()?.state).toBe('error'));
    expect(parts('dead')).toBe(0);
  });

  it('keeps its token out of logs, states and errors', async () => {
    await start();
    telegram.failNext('sendMessage', { drop: 'before' }, { status: 500, description: 'Internal Server Error' });
    telegram.failNext('getUpdates', { drop: 'before' }, { drop: 'before' });
    telegram.write(ANN, 'hello');
    await shows(ANN, 'hello');
    await telegram.close();
    await eventually(() => expect(logs.entries.length).toBeGreaterThan(3));
    const all = inspect([logs.entries, states()], { depth: 12, showHidden: true });
    expect(all).not.toContain(BOT_TOKEN.slice(11));
    telegram = await FakeTelegram.start();
  });
});
