import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import type { Failpoint } from '../../src/core/failpoints/failpoint.js';
import { FakePlatform, type CallFailure } from '../../src/testing/fake-platform.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { PlatformServer } from '../support/platform-server.js';
import { countSurplus, readNumber } from './answers.js';

const MODULE = fileURLToPath(new URL('channel.module.mjs', import.meta.url));

/** The failpoints that only messages of a driver in the process pass. */
export const CHANNEL_FAILPOINTS: readonly Failpoint[] = [
  'inbox.after_commit',
  'inbound.after_ack',
  'outbox.before_send',
  'outbox.after_send',
];

/** Blocks of an answer that fills several messages of the platform. */
const MANY_BLOCKS = 90;
const CHATS = ['ann', 'bob', 'cleo'];

/** The failures that a hostile platform adds to a life. */
const HOSTILITIES: readonly CallFailure[] = [
  { outcome: 'not_sent' },
  { outcome: 'unknown', takesEffect: true },
  { outcome: 'not_sent', retryAfterMs: 300 },
  { outcome: 'unknown' },
];

/** A message to a chat, and the answer that it should get. */
interface Expected {
  readonly content: string;
  /** The lines of the answer by which it is recognised, in order. */
  readonly marks: readonly string[];
}

/** People who write to a platform while the gateway behind it dies again and again. */
export class ChannelCampaign {
  readonly platform = new FakePlatform();
  readonly folder = mkdtempSync(join(tmpdir(), 'channel-crash-'));
  private readonly expected = new Map<string, Expected[]>(CHATS.map((chat) => [chat, []]));
  private server: PlatformServer | undefined;
  private lives = 0;

  /**
   * Runs one life until its death: at a failpoint, or once the platform was called so many times. A hostile platform
   * delivers everything twice, limits rates and loses connections and responses.
   */
  async live(death: {
    readonly failpoint?: string;
    readonly afterCalls?: number;
    readonly isHostile?: boolean;
  }): Promise<void> {
    this.lives++;
    const gateway = await this.startGateway(death.failpoint);
    this.writeSome(death.isHostile);
    if (death.isHostile) this.platform.failNext(...HOSTILITIES);
    const calls = this.platform.calls + (death.afterCalls ?? Infinity);
    const isOver = () => this.platform.calls >= calls || this.isAnswered();
    let hasExited = false;
    void gateway.exited.then(() => (hasExited = true));
    await patiently(() => expect(hasExited || isOver()).toBe(true));
    gateway.kill();
    expect((await gateway.exited).signal, gateway.output).toBe('SIGKILL');
  }

  /** Starts the gateway again and asserts that everything was answered, in order, and what came twice is counted. */
  async verify(): Promise<{ readonly messages: number; readonly twice: number }> {
    const gateway = await this.startGateway();
    try {
      await gateway.port;
      await patiently(() => expect(this.isAnswered(), this.describe()).toBe(true));
      await patiently(() => expect(this.platform.pending).toBe(0));
      await patiently(() => expect(readNumber(this.folder, 'SELECT count(*) AS n FROM inbox')).toBe(0));
      const surplus = CHATS.reduce((sum, chat) => sum + (this.compare(chat) ?? 0), 0);
      const doubts = readNumber(this.folder, 'SELECT coalesce(sum(doubts), 0) AS n FROM outbox');
      expect(surplus, 'what came twice is counted').toBeLessThanOrEqual(doubts);
      await patiently(() =>
        expect(readNumber(this.folder, "SELECT count(*) AS n FROM outbox WHERE state <> 'sent'")).toBe(0),
      );
      expect(gateway.output).not.toMatch(/"level":"error"/);
      return { messages: [...this.expected.values()].flat().length, twice: surplus };
    } finally {
      await gateway.end();
    }
  }

  async remove(): Promise<void> {
    await this.server?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startGateway(failpoint?: string): Promise<GatewayProcess> {
    this.server ??= await PlatformServer.start(this.platform);
    return new GatewayProcess({
      folder: this.folder,
      module: MODULE,
      env: {
        PLATFORM_URL: this.server.url,
        OPENCLAW_CHANNELS_PIGEON_DM_POLICY: 'open',
        OPENCLAW_CHANNELS_PIGEON_ALLOW_FROM: '["*"]',
        // Many deaths may hit the same turn, and giving it up is not tested here.
        OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
        ...(failpoint === undefined ? {} : { OPENCLAW_FAILPOINT: failpoint }),
      },
    });
  }

  private writeSome(isTwice = false): void {
    for (const chat of CHATS) {
      this.write(chat, { content: `hello ${this.lives} from ${chat}`, marks: [`hello ${this.lives} from ${chat}`] });
      const marks = Array.from({ length: MANY_BLOCKS }, (_, n) => `block ${n + 1}`);
      this.write(chat, { content: `/blocks ${MANY_BLOCKS} 1`, marks });
      if (isTwice) this.platform.repeatAll();
    }
  }

  private write(chat: string, message: Expected): void {
    this.expected.get(chat)?.push(message);
    this.platform.write(chat, message.content);
  }

  private isAnswered(): boolean {
    return CHATS.every((chat) => this.compare(chat) !== undefined);
  }

  /** Returns how many messages of a chat are left over; undefined unless each answer is there, whole and in order. */
  private compare(chat: string): number | undefined {
    const answers = (this.expected.get(chat) ?? []).map(({ marks }) => marks);
    return countSurplus(this.platform.read(chat).map(lineUp), answers);
  }

  private describe(): string {
    return CHATS.map((chat) => `${chat}: ${JSON.stringify(this.platform.read(chat).map(lineUp))}`).join('\n');
  }
}

/** Waits for what takes many starts of a process. Only a hang reaches the limit. */
export function patiently<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 120_000, interval: 50 });
}

/** Returns the lines of a text by which answers are recognised. */
function lineUp(text: string): string[] {
  return text.split('\n').filter((line) => /^(hello|block) \d/.test(line));
}
