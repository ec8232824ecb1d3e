import { afterEach, describe, expect, it } from 'vitest';
import { CHANNEL_FAILPOINTS, ChannelCampaign } from './channel-campaign.js';

/** The number of kills at random moments; `npm run test:long` raises it. */
const RANDOM_KILLS = Number(process.env['CRASH_KILLS'] ?? (process.env['LONG'] ? 100 : 10));
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

let campaign: ChannelCampaign | undefined;
afterEach(() => campaign?.remove());

describe('a gateway killed with SIGKILL between a platform and the agent', { timeout: 120_000 }, () => {
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
