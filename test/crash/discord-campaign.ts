import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import {
  BOT_ID,
  BOT_TOKEN,
  FakeDiscord,
  refusedField,
  tooMany,
  type Failure,
  type Payload,
} from '../support/fake-discord.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { countSurplus, readNumber } from './answers.js';

/** Blocks of an answer that fills several messages of Discord. */
const MANY_BLOCKS = 250;
/** Every so many messages of a chat ask for such an answer. */
const LONG_EVERY = 5;
const DAY_MS = 86_400_000;

type Share = readonly [share: number, failure: Failure];

/** What fails in the worst mode, each with its share of the calls. */
const WORST: readonly (readonly [route: RegExp, shares: readonly Share[]])[] = [
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

/** Figures of a campaign. */
export interface Outcome {
  readonly messages: number;
  readonly kills: number;
  /** Messages that chats show once too often. */
  readonly twice: number;
  /** Parts that the gateway has counted as possibly sent twice. */
  readonly doubts: number;
  readonly calls: number;
}

/** People in many chats of Discord in its worst mode, while the gateway dies again and again. */
export class DiscordCampaign {
  private readonly folder = mkdtempSync(join(tmpdir(), 'discord-crash-'));
  /** For each chat the lines by which each answer is recognised, in order. */
  private readonly expected: string[][][];
  private readonly written: Payload[] = [];
  /** The nonces of messages whose text was refused. */
  private readonly refused = new Set<unknown>();
  private kills = 0;
  private randomState: number;

  private constructor(
    private readonly discord: FakeDiscord,
    chats: number,
    seed: number,
  ) {
    this.randomState = seed;
    this.expected = Array.from({ length: chats }, () => []);
    for (const chat of this.expected.keys()) if (chat % 2 === 1) discord.openChannel(this.channelOf(chat));
    discord.chaos = (route, payload) => {
      let at = this.random();
      const shares = WORST.find(([pattern]) => pattern.test(route))?.[1];
      const failure = shares?.find(([share]) => (at -= share) < 0)?.[1];
      return failure && this.isPossible(failure, payload) ? failure : undefined;
    };
  }

  static async start(chats: number, seed: number): Promise<DiscordCampaign> {
    return new DiscordCampaign(await FakeDiscord.start(), chats, seed);
  }

  /** Runs one life, in which people write so many messages, until its death at a random moment. */
  async live(messages: number): Promise<void> {
    const gateway = await this.startGateway();
    if (this.written.length === 0) await this.meet();
    for (let n = 0; n < messages; n++) {
      this.writeOne();
      if (this.random() < 0.1) this.disturb();
    }
    const calls = this.discord.calls.length + Math.floor(this.random() * messages * 1.5);
    const isOver = () => this.discord.calls.length >= calls || this.describe() === '';
    await expect.poll(isOver, { timeout: 60_000, interval: 20 }).toBe(true);
    gateway.kill();
    await gateway.exited;
    this.kills++;
    // Discord keeps it for no session.
    this.discord.endSessions();
    this.writeOne();
  }

  /** Starts the gateway again, and asserts that everything was answered, in order, and that nothing came twice. */
  async verify(): Promise<Outcome> {
    const gateway = await this.startGateway();
    try {
      await expect
        .poll(() => this.describe(), { timeout: process.env['LONG'] ? 400_000 : 100_000, interval: 250 })
        .toBe('');
      await eventually(() => expect(readNumber(this.folder, 'SELECT count(*) AS n FROM inbox')).toBe(0));
      await eventually(() =>
        expect(readNumber(this.folder, "SELECT count(*) AS n FROM outbox WHERE state <> 'sent'")).toBe(0),
      );
      const doubts = readNumber(this.folder, 'SELECT coalesce(sum(doubts), 0) AS n FROM outbox');
      const twice = [...this.expected.keys()].reduce((sum, chat) => sum + (this.compare(chat) ?? 0), 0);
      expect(twice, 'nothing comes twice').toBe(0);
      expect(this.discord.shown.filter(({ content }) => content.includes('long ago'))).toEqual([]);
      expect(gateway.output).not.toMatch(/"level":"error"/);
      expect(gateway.output).not.toContain(BOT_TOKEN.slice(30));
      const messages = this.expected.flat().length;
      return { messages, kills: this.kills, twice, doubts, calls: this.discord.calls.length };
    } finally {
      await gateway.end();
    }
  }

  async remove(): Promise<void> {
    await this.discord.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startGateway(): Promise<GatewayProcess> {
    const gateway = new GatewayProcess({
      folder: this.folder,
      env: {
        OPENCLAW_CHANNELS_DISCORD_BOT_TOKEN: BOT_TOKEN,
        OPENCLAW_CHANNELS_DISCORD_API_ROOT: this.discord.url,
        OPENCLAW_CHANNELS_DISCORD_DM_POLICY: 'open',
        OPENCLAW_CHANNELS_DISCORD_ALLOW_FROM: '["*"]',
        OPENCLAW_CHANNELS_DISCORD_GROUP_POLICY: 'open',
        // Many deaths may hit the same turn, and giving it up is not tested here.
        OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
      },
    });
    await gateway.port;
    await expect.poll(() => this.discord.connected, { timeout: 30_000, interval: 20 }).toBe(1);
    return gateway;
  }

  /** People write in each chat, and are answered: what is written in an unknown chat while no session is open reaches no bot. */
  private async meet(): Promise<void> {
    for (const _ of this.expected) this.writeOne();
    await expect.poll(() => this.describe(), { timeout: 60_000, interval: 20 }).toBe('');
  }

  /** The connection breaks, or the session ends and begins again. */
  private disturb(): void {
    if (this.random() < 0.7) this.discord.disconnect(4_000);
    else this.discord.disconnect(4_009, true);
  }

  /** A person writes. Discord delivers it twice, and again something from before, and something very old. */
  private writeOne(): void {
    const chat = this.written.length % this.expected.length;
    const answers = this.expected[chat] ?? [];
    const isLong = answers.length % LONG_EVERY === LONG_EVERY - 1;
    const hello = `hello ${this.written.length} end`;
    answers.push(isLong ? Array.from({ length: MANY_BLOCKS }, (_, n) => String(n + 1)) : [hello]);
    const message = this.writeTo(chat, isLong ? `/blocks ${MANY_BLOCKS} 1` : hello);
    this.discord.deliver('MESSAGE_CREATE', message);
    this.written.push(message);
    const before = this.written[Math.floor(this.random() * this.written.length)];
    this.discord.deliver('MESSAGE_CREATE', before ?? message);
    if (this.random() < 0.05)
      this.discord.deliver('MESSAGE_CREATE', {
        ...message,
        id: this.discord.makeId(Date.now() - DAY_MS),
        content: 'long ago',
      });
  }

  /** Each second chat is a channel of a server. */
  private channelOf(chat: number): string {
    return chat % 2 === 0 ? this.discord.chatOf(this.personOf(chat)) : String(600_000_000_000_001_000 + chat * 1_000);
  }

  private personOf(chat: number): string {
    return String(100_000_000_000_001_000 + chat * 1_000);
  }

  private writeTo(chat: number, text: string): Payload {
    if (chat % 2 === 0) return this.discord.write(this.personOf(chat), text);
    const mentions = [{ id: BOT_ID, username: 'acme-helper', bot: true }];
    return this.discord.write(this.personOf(chat), `<@${BOT_ID}> ${text}`, {
      channel_id: this.channelOf(chat),
      mentions,
    });
  }

  /** Returns what the chats show that are not answered. */
  private describe(): string {
    const open = [...this.expected.keys()].filter((chat) => this.compare(chat) === undefined);
    return open.map((chat) => `${chat}: ${JSON.stringify(this.read(chat))}`).join('\n');
  }

  /** Returns how many messages of a chat are left over; undefined unless each answer is there, whole and in order. */
  private compare(chat: number): number | undefined {
    return countSurplus(this.read(chat), this.expected[chat] ?? []);
  }

  private read(chat: number): string[][] {
    return this.discord
      .read(this.channelOf(chat))
      .map(lineUp)
      .filter((lines) => lines.length > 0);
  }

  /** Discord refuses only what a call has, and of each message the text with markup once. */
  private isPossible(failure: Failure, payload: Payload): boolean {
    if (!('body' in failure) || failure.status !== 400) return true;
    if (JSON.stringify(failure.body).includes('message_reference')) return payload['message_reference'] !== undefined;
    const { nonce } = payload;
    const isFirst = !this.refused.has(nonce);
    this.refused.add(nonce);
    return isFirst;
  }

  private random(): number {
    this.randomState = (this.randomState * 1_103_515_245 + 12_345) % 2_147_483_648;
    return this.randomState / 2_147_483_648;
  }
}

/** Returns the lines of a text by which answers are recognised: of blocks their numbers, because a block may be cut. */
function lineUp(text: string): string[] {
  return [...text.matchAll(/hello \d+ end|\d+/g)].map(([line]) => line);
}
