import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.js';
import { CHANNEL_FAILPOINTS, ChannelCampaign, patiently } from './channel-campaign.js';

/** The number of kills at random moments; `npm run test:long` raises it. */
const RANDOM_KILLS = Number(process.env['CRASH_KILLS'] ?? (process.env['LONG'] ? 100 : 6));
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

let campaign: ChannelCampaign | undefined;
afterEach(() => campaign?.remove());

describe('a gateway killed with SIGKILL between a platform and the agent', { timeout: 600_000 }, () => {
  it.each([...CHANNEL_FAILPOINTS, 'enqueue.after_commit', 'ack.sent', 'block.mid_batch', 'finish.after_commit'])(
    '[V-03] at %s answers every message, in order, and counts what came twice',
    async (name) => {
      campaign = new ChannelCampaign();
      await campaign.live({ failpoint: `${name}:1` });
      await campaign.live({ failpoint: `${name}:4` });
      await campaign.verify();
    },
  );

  it(`[V-03] ${RANDOM_KILLS} times at random moments (seed ${SEED}) keeps these promises, with a platform in its worst mood`, async () => {
    campaign = new ChannelCampaign();
    let state = SEED;
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      await campaign.live({ afterCalls: 1 + (state % 12), isHostile: kill % 2 === 1 });
    }
    expect((await campaign.verify()).messages).toBe(RANDOM_KILLS * 6);
  });
});

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
    await patiently(() => expect(gateway.output).toContain('ann was answered'));
    for (const fault of ['in a timer', 'without a reader', 'throws in a listener', 'rejects in a listener'])
      expect(gateway.output).toContain(fault);
    expect(gateway.output.match(/a channel is not connected/g)?.length).toBeGreaterThanOrEqual(4);
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });
});
