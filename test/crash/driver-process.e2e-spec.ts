import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakePlatform, type CallFailure } from '../../src/testing/fake-platform.js';
import { findFreePort } from '../../src/testing/free-port.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { PlatformServer } from '../support/platform-server.js';
import { countSurplus, readNumber } from './answers.js';
import { CHANNEL_FAILPOINTS } from './channel-failpoints.js';
import { draw, SEED, type Shares } from './platform-campaign.js';

/** The number of kills at random moments on each side; `npm run test:long` raises it. */
const KILLS = process.env['LONG'] ? 20 : 2;
const CHATS = 3;
const TOKENS = [
  { token: 'pigeon-token-0123456789ab', principal: 'pigeons', role: 'channel', channels: ['pigeon'] },
  { token: 'operator-token-0123456789', principal: 'operator', role: 'operator' },
];
const SCRIPT = fileURLToPath(new URL('driver-process.mjs', import.meta.url));
const STORE = 'data/driver.db';

const FAILURES: Shares<CallFailure> = [
  [0.05, { outcome: 'not_sent' }],
  [0.05, { outcome: 'unknown', takesEffect: true }],
];

/** People in some chats of the made-up platform, whose driver and gateway are two processes that die again and again. */
class TwoProcesses {
  readonly folder = mkdtempSync(join(tmpdir(), 'driver-crash-'));
  private readonly platform = new FakePlatform();
  private readonly answers: string[][][] = Array.from({ length: CHATS }, () => []);
  private server!: PlatformServer;
  private gateway!: GatewayProcess;
  private driver!: GatewayProcess;
  private port!: number;
  private written = 0;
  private state = SEED;

  async start(): Promise<void> {
    this.server = await PlatformServer.start(this.platform);
    this.port = await findFreePort();
    await this.startGateway();
    this.startDriver();
  }

  async startGateway(): Promise<void> {
    this.gateway = new GatewayProcess({
      folder: this.folder,
      env: {
        OPENCLAW_GATEWAY_PORT: String(this.port),
        OPENCLAW_AUTH_TOKENS: JSON.stringify(TOKENS),
        OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
      },
    });
    await this.gateway.port;
  }

  startDriver(failpoint?: string): void {
    this.driver = new GatewayProcess({
      folder: this.folder,
      script: SCRIPT,
      env: {
        PLATFORM_URL: this.server.url,
        OPENCLAW_DRIVER_GATEWAY_URL: `ws://127.0.0.1:${this.port}`,
        OPENCLAW_DRIVER_TOKEN: 'pigeon-token-0123456789ab',
        OPENCLAW_CHANNELS_PIGEON_DM_POLICY: 'open',
        OPENCLAW_CHANNELS_PIGEON_ALLOW_FROM: '["*"]',
        ...(failpoint !== undefined && { OPENCLAW_FAILPOINT: failpoint }),
      },
    });
  }

  async killGateway(): Promise<void> {
    await this.gateway.end();
    this.write();
    await this.startGateway();
  }

  /** @param failpoint where the next one dies */
  async killDriver(failpoint?: string): Promise<void> {
    await this.driver.end();
    this.write();
    this.startDriver(failpoint);
  }

  /** People write on until the driver has died at its failpoint. */
  async writeUntilDead(): Promise<void> {
    let hasExited = false;
    void this.driver.exited.then(() => (hasExited = true));
    const hasDied = () => {
      if (!hasExited && this.describe() === '') this.write();
      return hasExited;
    };
    await expect.poll(hasDied, { timeout: 60_000, interval: 20 }).toBe(true);
    expect((await this.driver.exited).signal, this.driver.output).toBe('SIGKILL');
  }

  /** A person writes. The platform delivers it twice. */
  write(): void {
    const failure = draw(FAILURES, this.random);
    if (failure) this.platform.failNext(failure);
    const chat = this.written % CHATS;
    const answers = this.answers[chat] ?? [];
    const isLong = answers.length % 4 === 3;
    const hello = `hello ${this.written++} end`;
    answers.push(isLong ? Array.from({ length: 60 }, (_, n) => `block ${n + 1}`) : [hello]);
    const message = this.platform.write(`person-${chat}`, isLong ? '/blocks 60 2' : hello);
    this.platform.redeliver(message);
  }

  /** Waits for so many calls to the platform, or until everything is answered. */
  async waitForCalls(): Promise<void> {
    const calls = this.platform.calls + Math.floor(this.random() * 8);
    const isOver = () => this.platform.calls >= calls || this.describe() === '';
    await expect.poll(isOver, { timeout: 60_000, interval: 10 }).toBe(true);
  }

  /** Asserts that everything is answered, in order, and that what came twice is counted. */
  async verify(): Promise<object> {
    await expect.poll(() => this.describe(), { timeout: 120_000, interval: 100 }).toBe('');
    const count = (rows: string) => readNumber(this.folder, `SELECT count(*) AS n FROM ${rows}`, STORE);
    await expect
      .poll(() => [this.platform.pending, count('inbox'), count("outbox WHERE state <> 'sent'")], { timeout: 30_000 })
      .toEqual([0, 0, 0]);
    const doubts = readNumber(this.folder, 'SELECT coalesce(sum(doubts), 0) AS n FROM outbox', STORE);
    const twice = this.answers.reduce((sum, _, chat) => sum + (this.compare(chat) ?? 0), 0);
    expect(twice, 'what came twice is counted').toBeLessThanOrEqual(doubts);
    for (const { output } of [this.gateway, this.driver]) expect(output).not.toMatch(/"level":"error"/);
    return { messages: this.written, twice, doubts, calls: this.platform.calls };
  }

  async remove(): Promise<void> {
    await this.driver.end();
    await this.gateway.end();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  readonly random = (): number => (this.state = (this.state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;

  private describe(): string {
    const open = [...this.answers.keys()].filter((chat) => this.compare(chat) === undefined);
    return open.map((chat) => `${chat}: ${JSON.stringify(this.platform.read(`person-${chat}`))}`).join('\n');
  }

  private compare(chat: number): number | undefined {
    const texts = this.platform.read(`person-${chat}`);
    const shown = texts.map((text) => [...text.matchAll(/hello \d+ end|block \d+/g)].map(([line]) => line));
    return countSurplus(shown, this.answers[chat] ?? []);
  }
}

describe('a driver in a process of its own, and its gateway', { timeout: 600_000 }, () => {
  let both: TwoProcesses;
  beforeEach(async () => {
    both = new TwoProcesses();
    await both.start();
  });
  afterEach(() => both.remove());

  it.each(CHANNEL_FAILPOINTS)('[V-32] the driver dies at %s, and every message is answered', async (name) => {
    for (const count of [1, 4]) {
      await both.killDriver(`${name}:${count}`);
      await both.writeUntilDead();
      both.startDriver();
    }
    await both.verify();
  });

  it(`[V-32] each dies ${KILLS} times at random moments, and both at once (seed ${SEED})`, async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      for (let n = 0; n < 6; n++) both.write();
      await both.waitForCalls();
      await both.killDriver();
      await both.waitForCalls();
      await both.killGateway();
      await both.waitForCalls();
      if (kill % 2 === 1) await Promise.all([both.killDriver(), both.killGateway()]);
    }
    process.stdout.write(`${JSON.stringify({ kills: 2 * KILLS, ...(await both.verify()) })}\n`);
  });
});
