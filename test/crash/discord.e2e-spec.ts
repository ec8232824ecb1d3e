import { expect } from 'vitest';
import {
  BOT_ID,
  BOT_TOKEN,
  FakeDiscord,
  refusedField,
  tooMany,
  type Failure,
  type Payload,
} from '../support/fake-discord.js';
import { draw, itAnswersAll, type Platform, type Shares } from './platform-campaign.js';

/** What fails in the worst mode, each with its share of the calls. */
const WORST: readonly (readonly [route: RegExp, shares: Shares<Failure>])[] = [
  [
    /^POST .*messages$/,
    [
      [0.06, { drop: 'after' }],
      [0.04, { drop: 'before' }],
      [0.04, tooMany(0.3)],
      [0.01, tooMany(0.3, { global: true })],
      [0.06, refusedField('content', 'BASE_TYPE_BAD_LENGTH')],
      [0.06, refusedField('message_reference', 'REPLIES_UNKNOWN_MESSAGE')],
      [0.02, { status: 502, body: '<html>' }],
      [0.1, { delayMs: 150 }],
    ],
  ],
  [
    /^PATCH/,
    [
      [0.05, { drop: 'after' }],
      [0.05, { drop: 'before' }],
      [0.05, tooMany(0.3)],
    ],
  ],
  [/^GET .*messages$/, [[0.1, { drop: 'after' }]]],
  [/^GET \/gateway\/bot$/, [[0.1, { status: 502 }]]],
];

async function startDiscord(random: () => number, chats: number): Promise<Platform<Payload>> {
  const discord = await FakeDiscord.start();
  for (let chat = 1; chat < chats; chat += 2) discord.openChannel(channelOf(chat));
  const isPossible = limitRefusals();
  discord.chaos = (route, payload) => {
    const failure = draw(WORST.find(([pattern]) => pattern.test(route))?.[1], random);
    return failure && isPossible(failure, payload) ? failure : undefined;
  };
  return {
    env: { OPENCLAW_CHANNELS_DISCORD_BOT_TOKEN: BOT_TOKEN, OPENCLAW_CHANNELS_DISCORD_API_ROOT: discord.apiRoot },
    secrets: [BOT_TOKEN.slice(30)],
    blocks: 250,
    // Messages of this length end within a block.
    lines: /hello \d+ end|\d+/g,
    isExact: true,
    isForgetful: true,
    get calls() {
      return discord.calls.length;
    },
    // Discord keeps it for no session.
    pending: 0,
    get shown() {
      return discord.shown.map(({ content }) => content);
    },
    write: (chat, text, sentAt) =>
      writeTo(discord, chat, text, sentAt === undefined ? {} : { id: discord.makeId(sentAt) }),
    deliver: (message) => discord.deliver('MESSAGE_CREATE', message),
    read: (chat) => discord.read(chat % 2 === 0 ? discord.chatOf(personOf(chat)) : channelOf(chat)),
    connect: async () => {
      await expect.poll(() => discord.connected, { timeout: 30_000, interval: 20 }).toBe(1);
    },
    disturb: () => (random() < 0.7 ? discord.disconnect(4_000) : discord.disconnect(4_009, true)),
    die: () => discord.endSessions(),
    close: () => discord.close(),
  };
}

/** Each second chat is a channel of a server. */
function channelOf(chat: number): string {
  return String(600_000_000_000_001_000 + chat * 1_000);
}

function personOf(chat: number): string {
  return String(100_000_000_000_001_000 + chat * 1_000);
}

function writeTo(discord: FakeDiscord, chat: number, text: string, more: object): Payload {
  if (chat % 2 === 0) return discord.write(personOf(chat), text, more);
  const mentions = [{ id: BOT_ID, username: 'acme-helper', bot: true }];
  const place = { channel_id: channelOf(chat), mentions };
  return discord.write(personOf(chat), `<@${BOT_ID}> ${text}`, { ...place, ...more });
}

/** Discord refuses only what a call has, and of each message the text with markup once. */
function limitRefusals(): (failure: Failure, payload: Payload) => boolean {
  const refused = new Set<unknown>();
  return (failure, payload) => {
    if (!('body' in failure) || failure.status !== 400) return true;
    if (JSON.stringify(failure.body).includes('message_reference')) return payload['message_reference'] !== undefined;
    const { nonce } = payload;
    const isFirst = !refused.has(nonce);
    refused.add(nonce);
    return isFirst;
  };
}

itAnswersAll('Discord', startDiscord, { chats: 4, lives: [{ messages: 8 }] });
