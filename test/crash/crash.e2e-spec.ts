import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FAILPOINTS, type Failpoint } from '../../src/core/failpoints/failpoint.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { Campaign, type Death } from './campaign.js';
import { CHANNEL_FAILPOINTS } from './channel-failpoints.js';
import { inGroups } from './groups.js';
import { SEED } from './platform-campaign.js';

const isLong = Boolean(process.env['LONG']);
/** The number of kills at random moments; `npm run test:long` raises it. */
const RANDOM_KILLS = Number(process.env['CRASH_KILLS'] ?? (isLong ? 200 : 4));
const KILLS_PER_CAMPAIGN = 10;
/** The number of failpoints at which gateways on one store die before its promises are verified. */
const FAILPOINTS_PER_CAMPAIGN = isLong ? 1 : 5;

let campaign: Campaign | undefined;
afterEach(() => campaign?.remove());

/** Failpoints that ordinary work passes. */
const ON_THE_WAY = FAILPOINTS.filter(
  (name) =>
    !['config.mid', 'migrate.mid', 'drain.mid'].includes(name) &&
    !CHANNEL_FAILPOINTS.includes(name) &&
    !name.startsWith('node.') &&
    !name.startsWith('cron.'),
);

/** The passes at which the process dies: in turn the first and the third one, and with `LONG` both. */
const passesOf = (name: Failpoint) => (isLong ? [1, 3] : [ON_THE_WAY.indexOf(name) % 2 === 0 ? 1 : 3]);

async function dieAndVerify(deaths: readonly Death[]): Promise<void> {
  campaign = new Campaign();
  for (const death of deaths) await campaign.live(death);
  await campaign.verify();
  expect(campaign.kills).toBe(deaths.length);
}

describe('a gateway killed with SIGKILL', () => {
  it.each(inGroups(ON_THE_WAY, FAILPOINTS_PER_CAMPAIGN).map((names) => [names.join(', '), names] as const))(
    '[D-01] [D-02] [D-03] at %s answers every acknowledged message exactly once',
    async (_, names) => {
      await dieAndVerify(names.flatMap((name) => passesOf(name).map((pass) => ({ failpoint: `${name}:${pass}` }))));
    },
  );

  it('[D-01] [L-06] at drain.mid answers every acknowledged message exactly once', async () => {
    await dieAndVerify([{ failpoint: 'drain.mid:1', drains: true }]);
  });

  it('[P-10] at config.mid leaves the settings unchanged, and accepts the change after its restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'crash-'));
    const body = JSON.stringify({ version: 0, changes: { 'agent.name': 'ada' } });
    const change = async (gateway: GatewayProcess) => {
      const url = `http://127.0.0.1:${await gateway.port}/admin/v1/config`;
      const headers = { ...gateway.localHeaders, 'content-type': 'application/json' };
      return fetch(url, { method: 'PATCH', headers, body });
    };
    const first = new GatewayProcess({ folder, env: { OPENCLAW_FAILPOINT: 'config.mid:1' } });
    await expect(change(first)).rejects.toThrow('fetch failed');
    expect((await first.exited).signal).toBe('SIGKILL');
    const second = new GatewayProcess({ folder });
    expect(await (await change(second)).json()).toMatchObject({ version: 1 });
    await second.end();
    rmSync(folder, { recursive: true });
  });

  it('[D-11] at migrate.mid restarts the migration at its next start', async () => {
    await dieAndVerify([{ failpoint: 'migrate.mid:1' }, {}]);
  });

  it(
    `[D-01] [D-04] ${RANDOM_KILLS} times at random moments (seed ${SEED}) keeps all its promises`,
    { timeout: 60_000 + RANDOM_KILLS * 10_000 },
    async () => {
      const random = seededRandom(SEED);
      for (let done = 0; done < RANDOM_KILLS; done += KILLS_PER_CAMPAIGN) {
        const deaths = Array.from({ length: Math.min(KILLS_PER_CAMPAIGN, RANDOM_KILLS - done) }, () => ({
          afterFrames: 1 + Math.floor(random() * 40),
        }));
        await dieAndVerify(deaths);
        campaign?.remove();
      }
    },
  );
});

/** Mulberry32, so that the same seed gives the same deaths. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
