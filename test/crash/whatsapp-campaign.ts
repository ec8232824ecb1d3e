import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  ACCESS_TOKEN,
  APP_SECRET,
  FakeWhatsapp,
  OWN_NUMBER,
  PHONE_NUMBER_ID,
  VERIFY_TOKEN,
  type Failure,
  type Payload,
} from '../support/fake-whatsapp.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { countSurplus, readNumber } from './answers.js';

/** Blocks of an answer that fills several messages: each is one. */
const MANY_BLOCKS = 4;
/** Every so many messages of a chat ask for such an answer. */
const LONG_EVERY = 5;
const DAY_S = 86_400;

const isLong = Boolean(process.env['LONG']);
type Share = readonly [share: number, failure: Failure];

/** What has no effect. When the gateway dies then, half a minute passes until that is known: too long for a short campaign. */
const WITHOUT_EFFECT: readonly Share[] = [
  [0.02, { drop: 'before' }],
  [0.02, { status: 500, code: 1, details: 'An unknown error' }],
  [0.02, { status: 400, code: 131_056 }],
  [0.04, { status: 429, code: 130_429, headers: { 'retry-after': '1' } }],
  [0.08, { status: 400, code: 131_009, details: 'The context is not valid' }],
];

/** What fails in the worst mode, each with its share of the messages. */
const WORST: readonly Share[] = [...(isLong ? WITHOUT_EFFECT : []), [0.06, { drop: 'after' }], [0.1, { delayMs: 150 }]];

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

/** People in many chats of WhatsApp in its worst mode, while the gateway dies again and again. */
export class WhatsappCampaign {
  private readonly folder = mkdtempSync(join(tmpdir(), 'whatsapp-crash-'));
  /** For each chat the lines by which each answer is recognised, in order. */
  private readonly expected = new Map<string, string[][]>();
  private readonly written: Payload[] = [];
  private kills = 0;
  private randomState: number;

  private constructor(
    private readonly whatsapp: FakeWhatsapp,
    private readonly chats: number,
    seed: number,
  ) {
    this.randomState = seed;
    for (let chat = 0; chat < chats; chat++) this.expected.set(this.idOf(chat), []);
    whatsapp.chaos = (method, { type, context }) => {
      if (method !== 'messages' || type !== 'text') return undefined;
      let at = this.random();
      const failure = WORST.find(([share]) => (at -= share) < 0)?.[1];
      const isImpossible = failure && 'code' in failure && failure.code === 131_009 && context === undefined;
      return isImpossible ? undefined : failure;
    };
    // Everything comes twice, statuses too.
    whatsapp.repeats = () => 1;
    whatsapp.statusDelayMs = 100;
  }

  static async start(chats: number, seed: number): Promise<WhatsappCampaign> {
    return new WhatsappCampaign(await FakeWhatsapp.start(), chats, seed);
  }

  /**
   * Runs one life, in which people write so many messages, until its death: at a failpoint, or at a random moment. After a
   * random one half a minute may pass until it is known that a part was not sent.
   */
  async live(messages: number, failpoint?: string): Promise<void> {
    const gateway = await this.startGateway(failpoint);
    let hasExited = false;
    void gateway.exited.then(() => (hasExited = true));
    for (let n = 0; n < messages; n++) this.writeOne();
    const calls = this.whatsapp.calls.length + Math.floor(this.random() * messages * 2);
    const isOver = () =>
      hasExited || (failpoint === undefined && (this.whatsapp.calls.length >= calls || this.describe() === ''));
    await expect.poll(isOver, { timeout: 90_000, interval: 20 }).toBe(true);
    gateway.kill();
    await gateway.exited;
    this.kills++;
  }

  /** Starts the gateway again, and asserts that everything was answered, in order, and that what came twice is counted. */
  async verify(): Promise<Outcome> {
    const gateway = await this.startGateway();
    try {
      await expect.poll(() => this.describe(), { timeout: isLong ? 400_000 : 100_000, interval: 100 }).toBe('');
      await expect
        .poll(() => [this.whatsapp.pending, this.count('inbox'), this.count("outbox WHERE state <> 'sent'")], {
          timeout: 90_000,
          interval: 100,
        })
        .toEqual([0, 0, 0]);
      const doubts = readNumber(this.folder, 'SELECT coalesce(sum(doubts), 0) AS n FROM outbox');
      const twice = [...this.expected.keys()].reduce((sum, chat) => sum + (this.compare(chat) ?? 0), 0);
      expect(twice, 'what came twice is counted').toBeLessThanOrEqual(doubts);
      expect(this.whatsapp.shown.filter(({ text }) => text.includes('long ago'))).toEqual([]);
      expect(gateway.output).not.toMatch(/"level":"error"/);
      for (const secret of [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN]) expect(gateway.output).not.toContain(secret);
      const messages = [...this.expected.values()].flat().length;
      return { messages, kills: this.kills, twice, doubts, calls: this.whatsapp.calls.length };
    } finally {
      await gateway.end();
    }
  }

  async remove(): Promise<void> {
    await this.whatsapp.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startGateway(failpoint?: string): Promise<GatewayProcess> {
    this.whatsapp.target = '';
    const gateway = new GatewayProcess({
      folder: this.folder,
      env: {
        OPENCLAW_CHANNELS_WHATSAPP_ACCESS_TOKEN: ACCESS_TOKEN,
        OPENCLAW_CHANNELS_WHATSAPP_PHONE_NUMBER_ID: PHONE_NUMBER_ID,
        OPENCLAW_CHANNELS_WHATSAPP_APP_SECRET: APP_SECRET,
        OPENCLAW_CHANNELS_WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
        OPENCLAW_CHANNELS_WHATSAPP_API_ROOT: this.whatsapp.url,
        OPENCLAW_CHANNELS_WHATSAPP_DM_POLICY: 'open',
        OPENCLAW_CHANNELS_WHATSAPP_ALLOW_FROM: '["*"]',
        OPENCLAW_CHANNELS_WHATSAPP_GROUP_POLICY: 'open',
        // Many deaths may hit the same turn, and giving it up is not tested here.
        OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
        ...(failpoint !== undefined && { OPENCLAW_FAILPOINT: failpoint }),
      },
    });
    this.whatsapp.target = `http://127.0.0.1:${await gateway.port}`;
    return gateway;
  }

  private count(rows: string): number {
    return readNumber(this.folder, `SELECT count(*) AS n FROM ${rows}`);
  }

  /** A person writes, and WhatsApp delivers something from before again, and sometimes something very old. */
  private writeOne(): void {
    const chat = this.idOf(this.written.length % this.chats);
    const answers = this.expected.get(chat) ?? [];
    const isLongAnswer = answers.length % LONG_EVERY === LONG_EVERY - 1;
    const hello = `hello ${this.written.length} end`;
    const blocks = Array.from({ length: MANY_BLOCKS }, (_, n) => `block ${n + 1}`);
    answers.push(isLongAnswer ? blocks : [hello]);
    this.written.push(this.writeTo(chat, isLongAnswer ? `/blocks ${MANY_BLOCKS} 1` : hello));
    const before = this.written[Math.floor(this.random() * this.written.length)];
    if (before) this.whatsapp.deliverMessage(before);
    if (this.random() < 0.05)
      this.writeTo(chat, 'long ago', { timestamp: String(Math.floor(Date.now() / 1_000) - DAY_S) });
  }

  /** Each third chat is a group, and each third a person who hides the number. */
  private idOf(chat: number): string {
    if (chat % 3 === 0) return `group-${chat}`;
    return chat % 3 === 1 ? `1555000${1_000 + chat}` : `US.1349${1_000 + chat}`;
  }

  private writeTo(chat: string, text: string, more: object = {}): Payload {
    if (!chat.startsWith('group')) return this.whatsapp.write(chat, text, more);
    const reply = { group_id: chat, context: { from: OWN_NUMBER, id: 'wamid.OUT0' } };
    return this.whatsapp.write('15550009999', text, { ...reply, ...more });
  }

  /** Returns what the chats show that are not answered. */
  private describe(): string {
    const open = [...this.expected.keys()].filter((chat) => this.compare(chat) === undefined);
    return open.map((chat) => `${chat}: ${JSON.stringify(this.whatsapp.read(chat).map(lineUp))}`).join('\n');
  }

  /** Returns how many messages of a chat are left over; undefined unless each answer is there, whole and in order. */
  private compare(chat: string): number | undefined {
    const shown = this.whatsapp
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

/** Returns the lines of a text by which answers are recognised. */
function lineUp(text: string): string[] {
  return [...text.matchAll(/hello \d+ end|block \d+/g)].map(([line]) => line);
}
