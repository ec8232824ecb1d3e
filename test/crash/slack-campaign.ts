import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import { APP_TOKEN, BOT_TOKEN, BOT_USER, FakeSlack, TEAM, type Failure } from '../support/fake-slack.js';
import type { Parameters } from '../support/fake-slack-messages.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { countSurplus, readNumber } from './answers.js';

/** Blocks of an answer that fills several messages of Slack. */
const MANY_BLOCKS = 450;
/** Every so many messages of a chat ask for such an answer. */
const LONG_EVERY = 5;
const DAY_S = 86_400;

const LIMITED: Failure = { status: 429, retryAfter: 1 };

/** What fails in the worst mode, each with its share of the calls of a method. */
const WORST: Readonly<Record<string, readonly (readonly [share: number, failure: Failure])[]>> = {
  'apps.connections.open': [
    [0.1, { drop: 'before' }],
    [0.1, { status: 500 }],
  ],
  'chat.postMessage': [
    [0.06, { drop: 'after' }],
    [0.02, { drop: 'before' }],
    [0.04, LIMITED],
    [0.08, { error: 'invalid_blocks' }],
    [0.04, { error: 'thread_not_found' }],
    [0.02, { error: 'internal_error' }],
    [0.05, { delayMs: 150 }],
  ],
  'chat.update': [
    [0.05, { drop: 'after' }],
    [0.05, { drop: 'before' }],
    [0.03, LIMITED],
    [0.05, { error: 'invalid_blocks' }],
  ],
  'conversations.history': [
    [0.05, { drop: 'before' }],
    [0.05, LIMITED],
  ],
  'conversations.replies': [
    [0.05, { drop: 'after' }],
    [0.05, LIMITED],
  ],
  'users.info': [
    [0.1, { drop: 'before' }],
    [0.1, { status: 500 }],
  ],
  'assistant.threads.setStatus': [[0.2, { status: 500 }]],
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

/** People in many chats of Slack in its worst mode, while the gateway dies again and again. */
export class SlackCampaign {
  private readonly folder = mkdtempSync(join(tmpdir(), 'slack-crash-'));
  /** For each chat the lines by which each answer is recognised, in order. */
  private readonly expected = new Map<string, string[][]>();
  /** The thread of each channel. */
  private readonly threads = new Map<string, string>();
  private readonly written: Parameters[] = [];
  private kills = 0;
  private randomState: number;

  private constructor(
    private readonly slack: FakeSlack,
    private readonly chats: number,
    seed: number,
  ) {
    this.randomState = seed;
    for (let chat = 0; chat < chats; chat++) this.addChat(chat);
    slack.chaos = (method, parameters) => {
      let at = this.random();
      const failure = WORST[method]?.find(([share]) => (at -= share) < 0)?.[1];
      return failure && isPossible(failure, parameters) ? failure : undefined;
    };
  }

  static async start(chats: number, seed: number): Promise<SlackCampaign> {
    return new SlackCampaign(await FakeSlack.start(), chats, seed);
  }

  /** Runs one life, in which people write so many messages, until its death at a random moment. */
  async live(messages: number): Promise<void> {
    const gateway = this.startGateway();
    await gateway.port;
    for (let n = 0; n < messages; n++) this.writeOne();
    const sent = () => this.slack.callsOf('chat.postMessage').length + this.slack.callsOf('chat.update').length;
    const calls = sent() + Math.floor(this.random() * messages * 1.5);
    const isOver = () => sent() >= calls || this.describe() === '';
    await expect.poll(isOver, { timeout: 60_000, interval: 20 }).toBe(true);
    gateway.kill();
    await gateway.exited;
    this.kills++;
    if (!process.env['LONG']) this.skipDeadlines();
  }

  /** Starts the gateway again, and asserts that everything was answered, in order, and that what came twice is counted. */
  async verify(): Promise<Outcome> {
    const gateway = this.startGateway();
    try {
      await gateway.port;
      await expect
        .poll(() => this.describe(), { timeout: process.env['LONG'] ? 400_000 : 100_000, interval: 250 })
        .toBe('');
      await eventually(() => expect(this.slack.sockets.waiting).toBe(0));
      await eventually(() => expect(readNumber(this.folder, 'SELECT count(*) AS n FROM inbox')).toBe(0));
      await expect
        .poll(() => readNumber(this.folder, "SELECT count(*) AS n FROM outbox WHERE state <> 'sent'"), {
          timeout: 60_000,
        })
        .toBe(0);
      const doubts = readNumber(this.folder, 'SELECT coalesce(sum(doubts), 0) AS n FROM outbox');
      const twice = [...this.expected.keys()].reduce((sum, chat) => sum + (this.compare(chat) ?? 0), 0);
      expect(twice, 'what came twice is counted').toBeLessThanOrEqual(doubts);
      expect(this.slack.messages.filter((one) => one.bot_id && one.text.includes('long ago'))).toEqual([]);
      expect(this.slack.faults).toEqual([]);
      expect(gateway.output).not.toMatch(/"level":"error"/);
      for (const secret of [BOT_TOKEN, APP_TOKEN]) expect(gateway.output).not.toContain(secret.slice(5));
      const messages = [...this.expected.values()].flat().length;
      return { messages, kills: this.kills, twice, doubts, calls: this.slack.calls.length };
    } finally {
      await gateway.end();
    }
  }

  async remove(): Promise<void> {
    await this.slack.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private startGateway(): GatewayProcess {
    return new GatewayProcess({
      folder: this.folder,
      env: {
        OPENCLAW_CHANNELS_SLACK_BOT_TOKEN: BOT_TOKEN,
        OPENCLAW_CHANNELS_SLACK_APP_TOKEN: APP_TOKEN,
        OPENCLAW_CHANNELS_SLACK_API_ROOT: this.slack.apiRoot,
        OPENCLAW_CHANNELS_SLACK_DM_POLICY: 'open',
        OPENCLAW_CHANNELS_SLACK_ALLOW_FROM: '["*"]',
        OPENCLAW_CHANNELS_SLACK_GROUP_POLICY: 'open',
        // Many deaths may hit the same turn, and giving it up is not tested here.
        OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
      },
    });
  }

  /** Skips the 30 s in which a call of the dead process may still arrive: the fake workspace carries out nothing late. */
  private skipDeadlines(): void {
    const database = new DatabaseSync(join(this.folder, 'data/gateway.db'));
    database.exec('UPDATE outbox SET deadline = 0');
    database.close();
  }

  /** Each second chat is a thread of a channel. */
  private addChat(chat: number): void {
    if (chat % 2 === 0) return void this.expected.set(`DU${chat}`, []);
    const ts = this.slack.nextTs();
    this.slack.keep({ type: 'message', channel: `C${chat}`, user: 'U0', team: TEAM, ts, text: 'a thread' });
    this.threads.set(`C${chat}`, ts);
    this.expected.set(`C${chat}`, []);
  }

  /** A person writes. Slack delivers it twice, and again something from before, and something very old. */
  private writeOne(): void {
    const chat = [...this.expected.keys()][this.written.length % this.chats] ?? '';
    const answers = this.expected.get(chat) ?? [];
    const isLong = answers.length % LONG_EVERY === LONG_EVERY - 1;
    const hello = `hello ${this.written.length} end`;
    answers.push(isLong ? Array.from({ length: MANY_BLOCKS }, (_, n) => `block ${n + 1}`) : [hello]);
    const event = this.writeTo(chat, isLong ? `/blocks ${MANY_BLOCKS} 1` : hello);
    this.slack.deliver(this.threads.has(chat) ? { ...event, type: 'app_mention', channel_type: undefined } : event);
    this.written.push(event);
    const before = this.written[Math.floor(this.random() * this.written.length)];
    if (before) this.slack.deliver(before);
    if (this.random() < 0.05)
      this.slack.deliver({ ...event, text: 'long ago', ts: this.slack.nextTs(DAY_S), client_msg_id: undefined });
    if (this.random() < 0.03) this.slack.sockets.drop();
    if (this.random() < 0.03) this.slack.sockets.say({ type: 'disconnect', reason: 'warning' });
  }

  private writeTo(chat: string, text: string): Parameters {
    const thread = this.threads.get(chat);
    if (thread === undefined) return this.slack.write(chat.slice(1), text);
    const place = { channel: chat, channel_type: 'channel', thread_ts: thread };
    return this.slack.write(`U${chat}`, `<@${BOT_USER}> ${text}`, place);
  }

  /** Returns what the chats show that are not answered. */
  private describe(): string {
    const open = [...this.expected.keys()].filter((chat) => this.compare(chat) === undefined);
    return open.map((chat) => `${chat}: ${JSON.stringify(this.slack.read(chat).map(lineUp))}`).join('\n');
  }

  /** Returns how many messages of a chat are left over; undefined unless each answer is there, whole and in order. */
  private compare(chat: string): number | undefined {
    const shown = this.slack
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

/** Slack refuses only what a call has. */
function isPossible(failure: Failure, parameters: Parameters): boolean {
  if (!('error' in failure)) return true;
  if (failure.error === 'invalid_blocks') return parameters['mrkdwn'] !== 'false';
  return failure.error !== 'thread_not_found' || parameters['thread_ts'] !== undefined;
}

/** Returns the lines of a text by which answers are recognised. */
function lineUp(text: string): string[] {
  return [...text.matchAll(/hello \d+ end|block \d+/g)].map(([line]) => line);
}
