import { afterEach, beforeEach, expect, it } from 'vitest';
import { BOT_TOKEN, FakeTelegram } from '../../../test/support/fake-telegram.js';
import type { ChannelLink, Part, Update } from '../../core/channels/driver.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { TelegramDriver } from './telegram.driver.js';
import type { TelegramSettings } from './telegram.settings.js';
import { TelegramWebhooks } from './webhooks.js';

const ANN = 5001;
const OLD_GROUP = { id: -4_518_000_021, type: 'group', title: 'Ops' };
const NEW_ID = -1_002_471_000_021;

let telegram: FakeTelegram;
let webhooks: TelegramWebhooks;
let drivers: TelegramDriver[];
/** The calls of the link, in order: messages by their texts, and moves. */
let given: string[];
let storeFault: Error | undefined;
/** Called with each update. */
let take: (update: Update) => void;

beforeEach(async () => {
  telegram = await FakeTelegram.start();
  webhooks = new TelegramWebhooks();
  [drivers, given] = [[], []];
  storeFault = undefined;
  take = ({ raw }) => given.push((raw as { readonly message: { readonly text: string } }).message.text);
});
afterEach(async () => {
  for (const driver of drivers) await driver.stop();
  await telegram.close();
});

async function receive(updates: readonly Update[]): Promise<void> {
  const fault = storeFault;
  storeFault = undefined;
  if (fault) throw fault;
  for (const update of updates) take(update);
}

async function start(settings: object = {}): Promise<TelegramDriver> {
  const link = {
    channel: 'telegram',
    account: 'default',
    settings: { bot_token: BOT_TOKEN, api_root: telegram.url, ...settings },
    log: new SilentLogs().for(),
    receive,
    moveChat: async (from: string, to: string) => void given.push(`${from} is ${to}`),
    openFile: async () => ({ mimeType: 'image/png', sizeBytes: 3, body: [Buffer.from('png')] }),
    noteTime: () => {},
    degrade: () => {},
    fail: () => {},
  } as unknown as ChannelLink<TelegramSettings>;
  const driver = new TelegramDriver(new ManualClock(), webhooks);
  drivers.push(driver);
  await driver.start(link, new AbortController().signal);
  return driver;
}

const aPicture = (changes: Partial<Part['place']>): Part => ({
  id: 'part-1',
  createdAt: 0,
  place: { chat: String(OLD_GROUP.id), ...changes },
  texts: [{ kind: 'image', text: 'A red dot', alt: 'A red dot', source: 'https://gateway.example/media/f_1' }],
});

it('what precedes the move of a group comes again when it could not be stored', async () => {
  telegram.write(ANN, 'before', { chat: OLD_GROUP });
  telegram.write(ANN, '', { chat: OLD_GROUP, migrate_to_chat_id: NEW_ID });
  storeFault = new Error('the store is not available');
  await expect(start()).rejects.toThrow('the store is not available');
  expect([telegram.pending, given]).toEqual([2, []]);
  await start();
  expect(given).toEqual(['before', `${OLD_GROUP.id} is ${NEW_ID}`]);
});

it('a file is sent without its topic when the topic is gone, and to the chat that the group has become', async () => {
  const driver = await start();
  const gone = { status: 400, description: 'Bad Request: message thread not found' };
  const parameters = { migrate_to_chat_id: NEW_ID };
  telegram.failNext('sendPhoto', gone, { status: 400, description: 'Bad Request: group was upgraded', parameters });
  await driver.send(aPicture({ thread: '163' }));
  expect(telegram.shown.map(({ chat, text }) => ({ chat, text }))).toEqual([
    { chat: String(NEW_ID), text: 'A red dot' },
  ]);
  expect(telegram.callsOf('sendPhoto')).toHaveLength(3);
  expect(telegram.callsOf('sendPhoto').at(-1)).not.toHaveProperty('message_thread_id');
  expect(given).toEqual([`${OLD_GROUP.id} is ${NEW_ID}`]);
});

it('a picture that Telegram refuses is sent as a document', async () => {
  const driver = await start();
  telegram.failNext('sendPhoto', { status: 400, description: 'Bad Request: PHOTO_INVALID_DIMENSIONS' });
  await driver.send(aPicture({}));
  expect(telegram.callsOf('sendDocument')).toMatchObject([{ caption: 'A red dot' }]);
});

it('a file that Telegram does not give leaves the text of its message', async () => {
  const driver = await start();
  telegram.files.set('plan.pdf', Buffer.from('%PDF'));
  telegram.failNext('file', { status: 404, description: '' });
  const document = { file_id: 'plan.pdf', file_name: 'plan\u202Efdp.exe' };
  const message = telegram.write(ANN, '', { text: undefined, caption: 'read this', document });
  const raw = { kind: 'message', message };
  const update: Update = { id: 'telegram:1:5001:1', sender: '5001', place: { chat: '5001' }, sentAt: 0, raw };
  expect(await driver.read([update])).toEqual({
    kind: 'message',
    message: { content: 'read this', sender_name: 'Person 5001' },
    note: 'I could not read file, planfdp.exe: Telegram responds with HTTP 404',
  });
});

it('[V-23] shows buttons, answers their press and hands it over as a command, and takes them away with an edit', async () => {
  const driver = await start();
  const texts = [{ kind: 'text', text: 'May I?' }] as const;
  const part: Part = { id: 'approval:a_1.0', createdAt: 0, place: { chat: '5001' }, texts };
  const ref = await driver.send({ ...part, buttons: [{ text: 'Approve', data: 'a:a_1' }] });
  const [shown] = telegram.shown;
  const keyboard = { inline_keyboard: [[{ text: 'Approve', callback_data: 'a:a_1' }]] };
  expect(shown?.payload['reply_markup']).toEqual(keyboard);
  const message = { message_id: Number(ref), chat: { id: 5001, type: 'private' }, date: 1_795_694_400 };
  telegram.deliver({
    callback_query: { id: 'p1', from: { id: 5001, is_bot: false, first_name: 'Ann' }, message, data: 'a:a_1' },
  });
  await expect.poll(() => telegram.callsOf('answerCallbackQuery')).toEqual([{ callback_query_id: 'p1' }]);
  await driver.edit(ref, { ...part, texts: [{ kind: 'text', text: 'approved' }] });
  expect([shown?.text, shown?.payload['reply_markup']]).toEqual(['approved', undefined]);
});

it('[V-28] finds the place of a person, and of a group with its topic', async () => {
  const driver = await start();
  expect(await driver.findPlace({ sender: String(ANN) })).toEqual({ chat: String(ANN) });
  const place = { chat: String(NEW_ID), thread: '163', isGroup: true };
  expect(await driver.findPlace({ groupId: String(NEW_ID), threadId: '163' })).toEqual(place);
});

it('sends a code block that is too long for a message as a document with its name', async () => {
  const driver = await start();
  const source = 'data:text/plain;base64,bGV0IGE=';
  const texts = [{ kind: 'file', text: '[code]', name: 'code.ts', source }] as const;
  await driver.send({ id: 'm_1.0', createdAt: 0, place: { chat: String(ANN) }, texts });
  expect(telegram.callsOf('sendDocument')).toMatchObject([{ file_name: 'code.ts' }]);
});

it('[V-20] hands over each reaction that a person has added or removed', async () => {
  const reactions: unknown[] = [];
  take = (update) => reactions.push([update.sender, update.groupId, update.reaction]);
  const thumb = { type: 'emoji', emoji: '👍' };
  const people = { date: 1_795_694_400, message_id: 7, user: { id: ANN, is_bot: false, first_name: 'Ann' } };
  const changed = { ...people, chat: OLD_GROUP, old_reaction: [thumb], new_reaction: [{ type: 'emoji', emoji: '❤' }] };
  telegram.deliver({ message_reaction: changed });
  telegram.deliver({ message_reaction: { ...changed, user: undefined } });
  await start();
  await expect.poll(() => telegram.pending).toBe(0);
  const to = { messageId: `telegram:${BOT_TOKEN.split(':')[0]}:${OLD_GROUP.id}:7`, ref: '7' };
  expect(reactions).toEqual([
    [String(ANN), String(OLD_GROUP.id), { ...to, action: 'removed', emoji: '👍' }],
    [String(ANN), String(OLD_GROUP.id), { ...to, action: 'added', emoji: '❤' }],
  ]);
});
