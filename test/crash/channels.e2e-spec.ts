import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePlatform, type CallFailure, type WrittenMessage } from '../../src/testing/fake-platform.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { PlatformServer } from '../support/platform-server.js';
import { CHANNEL_FAILPOINTS } from './channel-failpoints.js';
import { inGroups } from './groups.js';
import { draw, PlatformCampaign, SEED, type Platform, type Shares } from './platform-campaign.js';

const isLong = Boolean(process.env['LONG']);
/** The number of kills at random moments; `npm run test:long` raises it. */
const RANDOM_KILLS = Number(process.env['CRASH_KILLS'] ?? (isLong ? 100 : 3));
const CHATS = 3;
const FAILPOINTS = [
  ...CHANNEL_FAILPOINTS,
  'enqueue.after_commit',
  'ack.sent',
  'block.mid_batch',
  'finish.after_commit',
];
/**
 * The passes of a failpoint at which the process dies: in turn the first and the fourth one, at which several messages are under
 * way, and with `LONG` both.
 */
const passesOf = (name: string) => (isLong ? [1, 4] : [FAILPOINTS.indexOf(name) % 2 === 0 ? 1 : 4]);
/** The number of failpoints at which gateways on one store die before its promises are verified. */
const FAILPOINTS_PER_CAMPAIGN = isLong ? 1 : 4;
const MESSAGES_PER_LIFE = isLong ? 15 : 8;

/** The failures that wait for the next calls, each with its share of the messages that people write. */
const WORST: Shares<CallFailure> = [
  [0.05, { outcome: 'not_sent' }],
  [0.05, { outcome: 'unknown', takesEffect: true }],
  [0.05, { outcome: 'not_sent', retryAfterMs: 300 }],
  [0.05, { outcome: 'unknown' }],
];

async function startPigeons(random: () => number): Promise<Platform<WrittenMessage>> {
  const platform = new FakePlatform();
  const server = await PlatformServer.start(platform);
  return {
    env: { PLATFORM_URL: server.url },
    module: fileURLToPath(new URL('channel.module.mjs', import.meta.url)),
    secrets: [],
    blocks: 90,
    get calls() {
      return platform.calls;
    },
    get pending() {
      return platform.pending;
    },
    get shown() {
      return platform.shown.map(({ text }) => text);
    },
    write: (chat, text, sentAt) => {
      const failure = draw(WORST, random);
      if (failure) platform.failNext(failure);
      return platform.write(`person-${chat}`, text, undefined, sentAt);
    },
    deliver: (message) => platform.redeliver(message),
    read: (chat) => platform.read(`person-${chat}`),
    close: () => server.close(),
  };
}

describe(
  'a gateway killed with SIGKILL between a platform in its worst mode and the agent',
  { timeout: 600_000 },
  () => {
    let campaign: PlatformCampaign<WrittenMessage>;
    beforeEach(async () => void (campaign = await PlatformCampaign.start('Pigeon', startPigeons, CHATS)));
    afterEach(() => campaign.remove());

    it.each(inGroups(FAILPOINTS, FAILPOINTS_PER_CAMPAIGN).map((names) => [names.join(', '), names] as const))(
      '[V-03] at %s answers every message, in order, and counts what came twice',
      async (_, names) => {
        const deaths = names.flatMap((name) => passesOf(name).map((pass) => `${name}:${pass}`));
        for (const failpoint of deaths) await campaign.live({ messages: MESSAGES_PER_LIFE, failpoint });
        expect((await campaign.verify()).kills).toBe(deaths.length);
      },
    );

    it(`[V-03] ${RANDOM_KILLS} times at random moments (seed ${SEED}) keeps these promises`, async () => {
      for (let kill = 0; kill < RANDOM_KILLS; kill++) await campaign.live({ messages: 6 });
      const outcome = await campaign.verify();
      process.stdout.write(`${JSON.stringify(outcome)}\n`);
      expect(outcome).toMatchObject({ messages: RANDOM_KILLS * 7, kills: RANDOM_KILLS });
    });
  },
);

describe('a driver that throws where nothing can catch it', { timeout: 300_000 }, () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'faulty-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('[V-17] ends its own run; the process and the other channels go on', async () => {
    const gateway = new GatewayProcess({
      folder,
      module: fileURLToPath(new URL('faulty-driver.module.mjs', import.meta.url)),
      env: { OPENCLAW_CHANNELS_PIGEON_DM_POLICY: 'open', OPENCLAW_CHANNELS_PIGEON_ALLOW_FROM: '["*"]' },
    });
    const isAnswered = () => expect(gateway.output).toContain('ann was answered');
    await vi.waitFor(isAnswered, { timeout: 120_000, interval: 50 });
    for (const fault of ['in a timer', 'without a reader', 'throws in a listener', 'rejects in a listener'])
      expect(gateway.output).toContain(fault);
    expect(gateway.output.match(/a channel is not connected/g)?.length).toBeGreaterThanOrEqual(4);
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });
});
