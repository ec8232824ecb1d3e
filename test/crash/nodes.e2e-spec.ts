import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { NodeCampaign } from './node-campaign.js';

/** The number of lost connections; `npm run test:long` raises it. */
const CUTS = Number(process.env['NODE_CUTS'] ?? (process.env['LONG'] ? 100 : 10));

let campaign: NodeCampaign;
afterEach(() => campaign?.stop());

/** A call that is not idempotent has its effect once if it succeeded, and at most once otherwise. */
function checkOnce(command: 'once' | 'again'): void {
  const effects = campaign.countEffects();
  for (const { callId, status } of campaign.ends) {
    const count = effects.get(callId) ?? 0;
    if (status === 'succeeded') expect(count).toBeGreaterThan(0);
    // The device was away, and the call was never sent.
    if (status === 'failed') expect(count).toBe(0);
    if (command === 'once') expect(count).toBeLessThanOrEqual(1);
  }
}

describe('a call of a device', { timeout: 180_000 }, () => {
  it.each([
    'node.wanted',
    'node.sent',
    'node.before_result',
    'node.after_result',
    'node.before_ack',
    'tool.after_intent',
    'tool.after_effect',
  ])('[F-09] succeeds and has one effect although the gateway is killed at %s', async (failpoint) => {
    campaign = await NodeCampaign.start();
    await campaign.endGateway();
    await campaign.startGateway(`${failpoint}:1`);
    await campaign.connected();
    const ended = campaign.call('once');
    await campaign.gatewayDied();
    await campaign.startGateway();
    expect(await ended).toMatchObject({ status: 'succeeded' });
    expect([...campaign.countEffects().values()]).toEqual([1]);
  });

  it.each([
    // Nothing was recorded, so it starts with the next program.
    ['begin.before', 'succeeded', 1],
    // It may have started: nobody can know.
    ['begin.after', 'unknown', 0],
    ['effect.before', 'unknown', 0],
    ['effect.after', 'unknown', 1],
    ['end.before', 'unknown', 1],
    // The result is there.
    ['end.after', 'succeeded', 1],
    ['ack.before', 'succeeded', 1],
  ])('[F-09] [F-10] of a device that is killed at %s is %s, with %i effects', async (step, status, effects) => {
    campaign = await NodeCampaign.start();
    await campaign.killDevice();
    await campaign.startDevice({ DIE_AT: step });
    const ended = campaign.call('once');
    await campaign.deviceDied();
    await campaign.startDevice();
    expect(await ended).toMatchObject({ status });
    expect([...campaign.countEffects().values()].reduce((sum, count) => sum + count, 0)).toBe(effects);
  });

  it.each(['begin.after', 'effect.after', 'end.before'])(
    '[F-10] that is idempotent runs again after its device was killed at %s, and succeeds',
    async (step) => {
      campaign = await NodeCampaign.start();
      await campaign.killDevice();
      await campaign.startDevice({ DIE_AT: step });
      const ended = campaign.call('again');
      await campaign.deviceDied();
      await campaign.startDevice();
      expect(await ended).toMatchObject({ status: 'succeeded' });
      checkOnce('again');
    },
  );

  it(
    `[F-09] is neither lost nor doubled over ${CUTS} lost connections`,
    { timeout: 60_000 + CUTS * 3_000 },
    async () => {
      campaign = await NodeCampaign.start();
      for (let n = 0; n < CUTS; n++) {
        await campaign.connected();
        const ended = campaign.call('once').catch((error: unknown) => error);
        // At any moment between the call and its result, which takes some 30 ms.
        await setTimeout(5 + ((n * 7) % 60));
        campaign.cut();
        await ended;
      }
      checkOnce('once');
      const outcomes = Object.groupBy(campaign.ends, ({ status }) => status);
      const doubled = [...campaign.countEffects().values()].filter((count) => count > 1).length;
      process.stdout.write(
        `cut connections: ${CUTS}, succeeded ${outcomes['succeeded']?.length ?? 0}, failed ${outcomes['failed']?.length ?? 0}, ` +
          `unknown ${outcomes['unknown']?.length ?? 0}, doubled ${doubled}\n`,
      );
      expect(doubled).toBe(0);
      expect(campaign.ends).toHaveLength(CUTS);
      expect(outcomes['unknown']).toBeUndefined();
    },
  );
});
