import { BOT_TOKEN, FakeTelegram, type Failure, type Payload } from '../support/fake-telegram.js';
import { draw, itAnswersAll, type Platform, type Shares } from './platform-campaign.js';

/** What fails in the worst mode, each with its share of the calls of a method. */
const WORST: Readonly<Record<string, Shares<Failure>>> = {
  getUpdates: [
    [0.04, { drop: 'before' }],
    [0.04, { drop: 'after' }],
    [0.04, { status: 502, description: 'Bad Gateway' }],
  ],
  sendMessage: [
    [0.04, { drop: 'after' }],
    [0.04, { drop: 'before' }],
    [0.04, { status: 429, description: 'Too Many Requests: retry after 1', parameters: { retry_after: 1 } }],
    [0.08, { status: 400, description: "Bad Request: can't parse entities: made up" }],
    [0.08, { status: 400, description: 'Bad Request: message to be replied not found' }],
    [0.02, { status: 500, description: 'Internal Server Error' }],
    [0.1, { delayMs: 150 }],
  ],
  editMessageText: [
    [0.05, { drop: 'after' }],
    [0.05, { drop: 'before' }],
    [0.05, { status: 429, description: 'Too Many Requests: retry after 1', parameters: { retry_after: 1 } }],
    [0.05, { status: 400, description: "Bad Request: can't parse entities: made up" }],
  ],
};

async function startTelegram(random: () => number): Promise<Platform<Payload>> {
  const telegram = await FakeTelegram.start();
  telegram.chaos = (method, payload) => {
    const failure = draw(WORST[method], random);
    return failure && isPossible(failure, payload) ? failure : undefined;
  };
  return {
    env: { OPENCLAW_CHANNELS_TELEGRAM_BOT_TOKEN: BOT_TOKEN, OPENCLAW_CHANNELS_TELEGRAM_API_ROOT: telegram.url },
    secrets: [BOT_TOKEN.slice(11)],
    blocks: 450,
    get calls() {
      return telegram.calls.length;
    },
    get pending() {
      return telegram.pending;
    },
    get shown() {
      return telegram.shown.map(({ text }) => text);
    },
    write: (chat, text, sentAt = Date.now()) => writeTo(telegram, idOf(chat), text, Math.floor(sentAt / 1_000)),
    deliver: (message) => telegram.deliver({ message }),
    read: (chat) => telegram.read(idOf(chat)),
    close: () => telegram.close(),
  };
}

/** Each second chat is a group. */
function idOf(chat: number): number {
  return chat % 2 === 0 ? 5_000 + chat : -5_000 - chat;
}

/** In a group every message mentions the bot: messages that do are answered before others. */
function writeTo(telegram: FakeTelegram, chat: number, text: string, date: number): Payload {
  if (chat > 0) return telegram.write(chat, text, { date });
  const group = { chat: { id: chat, type: 'group', title: 'Acme' }, date };
  const mention = '@acme_helper_bot';
  const entities = [{ type: 'mention', offset: 0, length: mention.length }];
  return telegram.write(-chat, `${mention} ${text}`, { ...group, entities });
}

/** Telegram refuses only what a call has. */
function isPossible(failure: Failure, payload: Payload): boolean {
  if (!('description' in failure)) return true;
  if (failure.description.includes('parse entities')) return payload['parse_mode'] !== undefined;
  return !failure.description.includes('to be replied') || payload['reply_parameters'] !== undefined;
}

itAnswersAll('Telegram', startTelegram, { chats: 5, lives: Array.from({ length: 3 }, () => ({ messages: 7 })) });
