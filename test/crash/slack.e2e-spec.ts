import { afterEach, expect, it } from 'vitest';
import { SlackCampaign } from './slack-campaign.js';

const isLong = Boolean(process.env['LONG']);
const CHATS = isLong ? 20 : 4;
const KILLS = isLong ? 20 : 2;
const MESSAGES = isLong ? 200 : 16;
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

let campaign: SlackCampaign | undefined;
afterEach(() => campaign?.remove());

it(
  `${MESSAGES} messages in ${CHATS} chats of Slack in its worst mode, with ${KILLS} kills (seed ${SEED}), are answered in order`,
  { timeout: 900_000 },
  async () => {
    campaign = await SlackCampaign.start(CHATS, SEED);
    for (let kill = 0; kill < KILLS; kill++) await campaign.live(Math.floor(MESSAGES / KILLS));
    const outcome = await campaign.verify();
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    expect(outcome.kills).toBe(KILLS);
  },
);
