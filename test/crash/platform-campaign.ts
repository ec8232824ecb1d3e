import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.js';
import { countSurplus, readNumber } from './answers.js';

const isLong = Boolean(process.env['LONG']);
/** The seed of all that is random. */
export const SEED = Number(process.env['CRASH_SEED'] ?? (isLong ? Date.now() % 1_000_000 : 1));

/** Every so many messages of a chat ask for an answer that fills several messages. */
const LONG_EVERY = 5;
const DAY_MS = 86_400_000;

/** A platform in its worst mode, as a campaign uses it. Chats are numbers from 0. `Message` is what people write. */
export interface Platform<Message> {
  /** The environment of the gateway: the settings of the account, except its policies. */
  readonly env: Readonly<Record<string, string>>;
  /** The path of a file with a module that the gateway has in addition. */
  readonly module?: string;
  /** Texts that the gateway must not log. */
  readonly secrets: readonly string[];
  /** Number of blocks of an answer that fills several messages. */
  readonly blocks: number;
  /** True if the platform recognises what is sent again, so that nothing comes twice. */
  readonly isExact?: boolean;
  /** True if a message that comes while there is no connection is lost unless the gateway knows its chat. */
  readonly isForgetful?: boolean;
  /** A pattern of the lines by which answers are recognised, if the platform may cut those of `LINES`. */
  readonly lines?: RegExp;
  /** Number of calls of the gateway so far. */
  readonly calls: number;
  /** Number of deliveries that the gateway has not confirmed. */
  readonly pending: number;
  /** All texts of the gateway so far, also those that are deleted. */
  readonly shown: readonly string[];
  /** Texts that people see otherwise than they are meant. */
  readonly faults?: readonly string[];
  /** A person writes. `sentAt` is in Unix milliseconds; the present if omitted. */
  write(chat: number, text: string, sentAt?: number): Message;
  /** Delivers a message again. */
  deliver(message: Message): void;
  /** Returns the texts of the gateway that a chat shows, in order. */
  read(chat: number): readonly string[];
  /** Resolves once the gateway, which listens on `port`, gets what people write. */
  connect?(port: number): Promise<void>;
  /** Breaks a connection. */
  disturb?(): void;
  /** Takes note that the gateway, whose store is in `folder`, has died. */
  die?(folder: string): void;
  close(): Promise<void>;
}

/** Starts a platform for so many chats. `random` returns numbers from 0 to below 1. */
export type StartPlatform<Message> = (random: () => number, chats: number) => Promise<Platform<Message>>;

/** One life of a gateway, in which people write so many messages. It ends at a failpoint, or at a random moment. */
export interface Life {
  readonly messages: number;
  readonly failpoint?: string;
}

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

/** The lines by which answers are recognised. */
const LINES = /hello \d+ end|block \d+/g;
/** The note of a chat after messages that are too old, besides answers. */
const NOTICE = 'I could not be reached for a while';

/** Failures, each with its share of the calls. */
export type Shares<Failure> = readonly (readonly [share: number, failure: Failure])[];

/** Returns a failure by its share; undefined for the rest. */
export function draw<Failure>(shares: Shares<Failure> | undefined, random: () => number): Failure | undefined {
  let at = random();
  return shares?.find(([share]) => (at -= share) < 0)?.[1];
}

/** People in many chats of a platform in its worst mode, while the gateway dies again and again. */
export class PlatformCampaign<Message> {
  private readonly folder = mkdtempSync(join(tmpdir(), 'platform-crash-'));
  /** For each chat the lines by which each answer is recognised, in order. */
  private readonly expected: string[][][];
  private readonly written: Message[] = [];
  private kills = 0;

  private constructor(
    private readonly name: string,
    private readonly platform: Platform<Message>,
    private readonly random: () => number,
    chats: number,
  ) {
    this.expected = Array.from({ length: chats }, () => []);
  }

  static async start<M>(name: string, startPlatform: StartPlatform<M>, chats: number): Promise<PlatformCampaign<M>> {
    let state = SEED;
    const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    return new PlatformCampaign(name, await startPlatform(random, chats), random, chats);
  }

  /** Runs one life until its death. A person writes after it. */
  async live({ messages, failpoint }: Life): Promise<void> {
    const gateway = this.startGateway(failpoint);
    try {
      await this.connectUnlessDead(gateway);
      if (this.platform.isForgetful && this.written.length === 0) await this.meet();
      for (let n = 0; n < messages; n++) {
        this.writeOne();
        if (this.random() < 0.1) this.platform.disturb?.();
      }
      if (failpoint === undefined) await this.waitForCalls(Math.floor(this.random() * messages * 2));
      else await this.writeUntilDead(gateway);
    } finally {
      await gateway.end();
    }
    expect((await gateway.exited).signal, gateway.output).toBe('SIGKILL');
    this.checkOutput(gateway);
    this.kills++;
    this.platform.die?.(this.folder);
    this.writeOne();
  }

  /** Starts the gateway again, and asserts that everything was answered, in order, and that what came twice is counted. */
  async verify(): Promise<Outcome> {
    const { platform } = this;
    const gateway = this.startGateway();
    try {
      await this.connect(gateway);
      await expect.poll(() => this.describe(), { timeout: isLong ? 400_000 : 100_000, interval: 100 }).toBe('');
      await expect
        .poll(() => [platform.pending, this.count('inbox'), this.count("outbox WHERE state <> 'sent'")], {
          timeout: 90_000,
          interval: 100,
        })
        .toEqual([0, 0, 0]);
      expect(this.describe()).toBe('');
      const doubts = readNumber(this.folder, 'SELECT coalesce(sum(doubts), 0) AS n FROM outbox');
      const twice = this.expected.reduce((sum, _, chat) => sum + (this.compare(chat) ?? 0), 0);
      expect(twice, 'what came twice is counted').toBeLessThanOrEqual(platform.isExact ? 0 : doubts);
      expect(platform.shown.filter((text) => text.includes('long ago'))).toEqual([]);
      expect(platform.faults ?? []).toEqual([]);
      this.checkOutput(gateway);
      return { messages: this.written.length, kills: this.kills, twice, doubts, calls: platform.calls };
    } finally {
      await gateway.end();
    }
  }

  async remove(): Promise<void> {
    await this.platform.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private startGateway(failpoint?: string): GatewayProcess {
    const { env, module } = this.platform;
    const prefix = `OPENCLAW_CHANNELS_${this.name.toUpperCase()}`;
    return new GatewayProcess({
      folder: this.folder,
      ...(module !== undefined && { module }),
      env: {
        ...env,
        [`${prefix}_DM_POLICY`]: 'open',
        [`${prefix}_ALLOW_FROM`]: '["*"]',
        [`${prefix}_GROUP_POLICY`]: 'open',
        // Many deaths may hit the same turn, and giving it up is not tested here.
        OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
        ...(failpoint !== undefined && { OPENCLAW_FAILPOINT: failpoint }),
      },
    });
  }

  private async connect(gateway: GatewayProcess): Promise<void> {
    await this.platform.connect?.(await gateway.port);
  }

  /** At a failpoint a gateway may die before it is ready. */
  private async connectUnlessDead(gateway: GatewayProcess): Promise<void> {
    await Promise.race([this.connect(gateway), gateway.exited]);
  }

  /** Waits for so many calls of the gateway, or until everything is answered. */
  private async waitForCalls(count: number): Promise<void> {
    const calls = this.platform.calls + count;
    const isOver = () => this.platform.calls >= calls || this.describe() === '';
    await expect.poll(isOver, { timeout: 120_000, interval: 20 }).toBe(true);
  }

  /** Waits until a gateway has died at its failpoint. People write on until then. */
  private async writeUntilDead(gateway: GatewayProcess): Promise<void> {
    let hasExited = false;
    void gateway.exited.then(() => (hasExited = true));
    const hasDied = () => {
      if (!hasExited && this.describe() === '') this.writeOne();
      return hasExited;
    };
    await expect.poll(hasDied, { timeout: 120_000, interval: 20 }).toBe(true);
  }

  private checkOutput({ output }: GatewayProcess): void {
    expect(output).not.toMatch(/"level":"error"/);
    for (const secret of this.platform.secrets) expect(output).not.toContain(secret);
  }

  /** People write in each chat, and are answered. */
  private async meet(): Promise<void> {
    for (const _ of this.expected) this.writeOne();
    await expect.poll(() => this.describe(), { timeout: 60_000, interval: 20 }).toBe('');
  }

  /** A person writes. The platform delivers it twice, and again something from before, and something very old. */
  private writeOne(): void {
    const { platform, random, written } = this;
    const chat = written.length % this.expected.length;
    const answers = this.expected[chat] ?? [];
    const isBlocks = answers.length % LONG_EVERY === LONG_EVERY - 1;
    const hello = `hello ${written.length} end`;
    const lines = isBlocks ? Array.from({ length: platform.blocks }, (_, n) => `block ${n + 1}`) : [hello];
    answers.push(lines.flatMap((line) => this.findLines(line)));
    const message = platform.write(chat, isBlocks ? `/blocks ${platform.blocks} 1` : hello);
    written.push(message);
    platform.deliver(message);
    platform.deliver(written[Math.floor(random() * written.length)] ?? message);
    if (random() < 0.05) platform.write(chat, 'long ago', Date.now() - DAY_MS);
  }

  private count(rows: string): number {
    return readNumber(this.folder, `SELECT count(*) AS n FROM ${rows}`);
  }

  /** Returns what the chats show that are not answered. */
  private describe(): string {
    const open = [...this.expected.keys()].filter((chat) => this.compare(chat) === undefined);
    return open.map((chat) => `${chat}: ${JSON.stringify(this.read(chat))}`).join('\n');
  }

  /** Returns how many messages of a chat are left over; undefined unless each answer is there, whole and in order. */
  private compare(chat: number): number | undefined {
    const shown = this.read(chat);
    const answers = shown.filter((lines) => lines.length > 0);
    const surplus = countSurplus(answers, this.expected[chat] ?? []);
    return surplus === undefined ? undefined : surplus + shown.length - answers.length;
  }

  /** Returns the lines by which answers are recognised, of each message that a chat shows. */
  private read(chat: number): string[][] {
    const texts = this.platform.read(chat).filter((text) => !text.includes(NOTICE));
    return texts.map((text) => this.findLines(text));
  }

  private findLines(text: string): string[] {
    return [...text.matchAll(this.platform.lines ?? LINES)].map(([line]) => line);
  }
}

/** Describes a campaign on a platform: 20 kills if the environment says `LONG`, else `small`. */
export function itAnswersAll<Message>(
  name: string,
  startPlatform: StartPlatform<Message>,
  small: { readonly chats: number; readonly lives: readonly Life[] },
): void {
  const { chats, lives } = isLong ? { chats: 20, lives: Array.from({ length: 20 }, () => ({ messages: 10 })) } : small;
  const messages = lives.reduce((sum, life) => sum + life.messages, 0);
  let campaign: PlatformCampaign<Message> | undefined;
  afterEach(() => campaign?.remove());

  it(
    `${messages} messages in ${chats} chats of ${name} in its worst mode, with ${lives.length} kills (seed ${SEED}), are answered in order`,
    { timeout: 900_000 },
    async () => {
      campaign = await PlatformCampaign.start(name, startPlatform, chats);
      for (const life of lives) await campaign.live(life);
      const outcome = await campaign.verify();
      process.stdout.write(`${JSON.stringify(outcome)}\n`);
      expect(outcome.kills).toBe(lives.length);
    },
  );
}
