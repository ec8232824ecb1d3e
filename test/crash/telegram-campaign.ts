import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import { BOT_TOKEN, FakeTelegram, type Failure, type Payload } from '../support/fake-telegram.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { countSurplus, readNumber } from './answers.js';

/** Blocks of an answer that fills several messages of Telegram. */
const MANY_BLOCKS = 450;
/** Every so many messages of a chat ask for such an answer. */
const LONG_EVERY = 5;
const DAY_S = 86_400;

/** What fails in the worst mode, each with its share of the calls of a method. */
const WORST: Readonly<Record<string, readonly (readonly [share: number, failure: Failure])[]>> = {
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

/** People in many chats of Telegram in its worst mode, while the gateway dies again and again. */
export class TelegramCampaign {
  private readonly folder = mkdtempSync(join(tmpdir(), 'telegram-crash-'));
  /** For each chat the lines by which each answer is recognised, in order. */
  private readonly expected = new Map<number, string[][]>();
  private readonly written: Payload[] = [];
  private kills = 0;
  private randomState: number;

  private constructor(
    private readonly telegram: FakeTelegram,
    private readonly chats: number,
    seed: number,
  ) {
    this.randomState = seed;
    for (let chat = 0; chat < chats; chat++) this.expected.set(this.idOf(chat), []);
    telegram.chaos = (method, payload) => {
      let at = this.random();
      const failure = WORST[method]?.find(([share]) => (at -= share) < 0)?.[1];
      return failure && isPossible(failure, payload) ? failure : undefined;
    };
  }

  static async start(chats: number, seed: number): Promise<TelegramCampaign> {
    return new TelegramCampaign(await FakeTelegram.start(), chats, seed);
  }

  /** Runs one life, in which people write so many messages, until its death at a random moment. */
  async live(messages: number): Promise<void> {
    const gateway = this.startGateway();
    await gateway.port;
    for (let n = 0; n < messages; n++) this.writeOne();
    const calls = this.telegram.calls.length + Math.floor(this.random() * messages * 1.5);
    const isOver = () => this.telegram.calls.length >= calls || this.describe() === '';
    await expect.poll(isOver, { timeout: 60_000, interval: 20 }).toBe(true);
    gateway.kill();
    await gateway.exited;
    this.kills++;
  }

  /** Starts the gateway again, and asserts that everything was answered, in order, and that what came twice is counted. */
  async verify(): Promise<Outcome> {
    const gateway = this.startGateway();
    try {
      await gateway.port;
      await expect
        .poll(() => this.describe(), { timeout: process.env['LONG'] ? 400_000 : 100_000, interval: 250 })
        .toBe('');
      await eventually(() => expect(this.telegram.pending).toBe(0));
      await eventually(() => expect(readNumber(this.folder, 'SELECT count(*) AS n FROM inbox')).toBe(0));
      await eventually(() =>
        expect(readNumber(this.folder, "SELECT count(*) AS n FROM outbox WHERE state <> 'sent'")).toBe(0),
      );
      const doubts = readNumber(this.folder, 'SELECT coalesce(sum(doubts), 0) AS n FROM outbox');
      const twice = [...this.expected.keys()].reduce((sum, chat) => sum + (this.compare(chat) ?? 0), 0);
      expect(twice, 'what came twice is counted').toBeLessThanOrEqual(doubts);
      expect(this.telegram.shown.filter(({ text }) => text.includes('long ago'))).toEqual([]);
      expect(gateway.output).not.toMatch(/"level":"error"/);
      expect(gateway.output).not.toContain(BOT_TOKEN.slice(11));
      const messages = [...this.expected.values()].flat().length;
      return { messages, kills: this.kills, twice, doubts, calls: this.telegram.calls.length };
    } finally {
      await gateway.end();
    }
  }

  async remove(): Promise<void> {
    await this.telegram.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private startGateway(): GatewayProcess {
    return new GatewayProcess({
      folder: this.folder,
      env: {
        OPENCLAW_CHANNELS_TELEGRAM_BOT_TOKEN: BOT_TOKEN,
        OPENCLAW_CHANNELS_TELEGRAM_API_ROOT: this.telegram.url,
        OPENCLAW_CHANNELS_TELEGRAM_DM_POLICY: 'open',
        OPENCLAW_CHANNELS_TELEGRAM_ALLOW_FROM: '["*"]',
        OPENCLAW_CHANNELS_TELEGRAM_GROUP_POLICY: 'open',
        // Many deaths may hit the same turn, and giving it up is not tested here.
        OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
      },
    });
  }

  /** A person writes. Telegram delivers it twice, and again something from before, and something very old. */
  private writeOne(): void {
    const chat = this.idOf(this.written.length % this.chats);
    const answers = this.expected.get(chat) ?? [];
    const isLong = answers.length % LONG_EVERY === LONG_EVERY - 1;
    const hello = `hello ${this.written.length} end`;
    answers.push(isLong ? Array.from({ length: MANY_BLOCKS }, (_, n) => `block ${n + 1}`) : [hello]);
    const message = this.writeTo(chat, isLong ? `/blocks ${MANY_BLOCKS} 1` : hello);
    this.telegram.deliver({ message });
    this.written.push(message);
    const before = this.written[Math.floor(this.random() * this.written.length)];
    this.telegram.deliver({ message: before });
    if (this.random() < 0.05) this.writeTo(chat, 'long ago', { date: Math.floor(Date.now() / 1_000) - DAY_S });
  }

  /** Each second chat is a group. */
  private idOf(chat: number): number {
    return chat % 2 === 0 ? 5_000 + chat : -5_000 - chat;
  }

  private writeTo(chat: number, text: string, more: object = {}): Payload {
    if (chat > 0) return this.telegram.write(chat, text, more);
    const group = { chat: { id: chat, type: 'group', title: 'Acme' }, ...more };
    if (text.startsWith('/')) return this.telegram.write(-chat, text, group);
    const mention = '@acme_helper_bot';
    const entities = [{ type: 'mention', offset: 0, length: mention.length }];
    return this.telegram.write(-chat, `${mention} ${text}`, { ...group, entities });
  }

  /** Returns what the chats show that are not answered. */
  private describe(): string {
    const open = [...this.expected.keys()].filter((chat) => this.compare(chat) === undefined);
    return open.map((chat) => `${chat}: ${JSON.stringify(this.telegram.read(chat).map(lineUp))}`).join('\n');
  }

  /** Returns how many messages of a chat are left over; undefined unless each answer is there, whole and in order. */
  private compare(chat: number): number | undefined {
    const shown = this.telegram
      .read(chat)
      .map(lineUp)
      .filter((lines) => lines.length > 0);
    return countSurplus(shown, this.expected.get(chat) ?? []);
  }

  private random(): number {
    this.randomState = (this.randomState * 1_103_515_245 + 12_345) % 2_147_483_648;
    return this.randomState / 2_147_483_648;
  }
}

/** Telegram refuses only what a call has. */
function isPossible(failure: Failure, payload: Payload): boolean {
  if (!('description' in failure)) return true;
  if (failure.description.includes('parse entities')) return payload['parse_mode'] !== undefined;
  return !failure.description.includes('to be replied') || payload['reply_parameters'] !== undefined;
}

/** Returns the lines of a text by which answers are recognised. */
function lineUp(text: string): string[] {
  return [...text.matchAll(/hello \d+ end|block \d+/g)].map(([line]) => line);
}
