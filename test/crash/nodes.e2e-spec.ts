import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { NodeCampaign } from './node-campaign.js';

/** The number of lost connections; `npm run test:long` raises it. */
const CUTS = Number(process.env['NODE_CUTS'] ?? (process.env['LONG'] ? 100 : 6));

async function start(failpoint?: string): Promise<NodeCampaign> {
  const campaign = await NodeCampaign.start(failpoint);
  onTestFinished(() => campaign.stop());
  return campaign;
}

/** A call that is not idempotent has its effect once if it succeeded, and at most once otherwise. */
function checkOnce(campaign: NodeCampaign): void {
  const effects = campaign.countEffects();
  for (const { callId, status } of campaign.ends) {
    const count = effects.get(callId) ?? 0;
    if (status === 'succeeded') expect(count).toBe(1);
    // The device was away, and the call was never sent.
    if (status === 'failed') expect(count).toBe(0);
    expect(count).toBeLessThanOrEqual(1);
  }
}

/** Calls a command during which the device dies at a step. Resolves with the status of the call and its number of effects. */
async function callDying(
  campaign: NodeCampaign,
  command: 'once' | 'again',
  step: string,
): Promise<{ readonly status: string; readonly effects: number }> {
  await campaign.killDevice();
  await campaign.startDevice({ DIE_AT: step });
  const ended = campaign.call(command);
  await campaign.deviceDied();
  await campaign.startDevice();
  const { callId, status } = await ended;
  return { status, effects: campaign.countEffects().get(callId) ?? 0 };
}

describe('a call of a device', () => {
  it.each([
    'node.wanted',
    'node.sent',
    'node.before_result',
    'node.after_result',
    'node.before_ack',
    'tool.after_intent',
    'tool.after_effect',
  ])('[F-09] succeeds and has one effect although the gateway is killed at %s', async (failpoint) => {
    const campaign = await start(`${failpoint}:1`);
    const ended = campaign.call('once');
    await campaign.gatewayDied();
    await campaign.startGateway();
    expect(await ended).toMatchObject({ status: 'succeeded' });
    expect([...campaign.countEffects().values()]).toEqual([1]);
  });

  describe('of a device that is killed', () => {
    let shared: NodeCampaign;
    beforeAll(async () => void (shared = await NodeCampaign.start()));
    afterAll(() => shared.stop());

    it.each([
      // Nothing was recorded, so it starts with the next program.
      ['begin.before', 'succeeded', 1],
      // It may have started: neither side can know.
      ['begin.after', 'unknown', 0],
      ['effect.before', 'unknown', 0],
      ['effect.after', 'unknown', 1],
      ['end.before', 'unknown', 1],
      // The result is there.
      ['end.after', 'succeeded', 1],
    ])('[F-09] [F-10] at %s is %s, with %i effects', async (step, status, effects) => {
      expect(await callDying(shared, 'once', step)).toEqual({ status, effects });
    });

    it('[F-09] [F-10] at ack.before is succeeded, with 1 effects', async () => {
      // After another call the device could die at the acknowledgement of that one.
      expect(await callDying(await start(), 'once', 'ack.before')).toEqual({ status: 'succeeded', effects: 1 });
    });

    it.each(['begin.after', 'effect.after', 'end.before'])(
      '[F-10] at %s runs again if it is idempotent, and succeeds',
      async (step) => {
        const { status, effects } = await callDying(shared, 'again', step);
        expect(status).toBe('succeeded');
        expect(effects).toBeGreaterThan(0);
      },
    );
  });

  it(
    `[F-09] is neither lost nor doubled over ${CUTS} lost connections`,
    { timeout: 60_000 + CUTS * 3_000 },
    async () => {
      const campaign = await start();
      for (let n = 0; n < CUTS; n++) {
        await campaign.connected();
        const ended = campaign.call('once').catch((error: unknown) => error);
        // At any moment between the call and its result, which takes some 30 ms.
        await setTimeout(5 + ((n * 7) % 60));
        campaign.cut();
        await ended;
      }
      checkOnce(campaign);
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
