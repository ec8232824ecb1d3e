import { afterEach, expect, it } from 'vitest';
import { DiscordCampaign } from './discord-campaign.js';

const isLong = Boolean(process.env['LONG']);
const CHATS = isLong ? 20 : 4;
const KILLS = isLong ? 20 : 1;
const MESSAGES = isLong ? 200 : 8;
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

let campaign: DiscordCampaign | undefined;
afterEach(() => campaign?.remove());

it(
  `${MESSAGES} messages in ${CHATS} chats of Discord in its worst mode, with ${KILLS} kills (seed ${SEED}), are answered once and in order`,
  { timeout: 600_000 },
  async () => {
    campaign = await DiscordCampaign.start(CHATS, SEED);
    for (let kill = 0; kill < KILLS; kill++) await campaign.live(Math.floor(MESSAGES / KILLS));
    const outcome = await campaign.verify();
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    expect(outcome.kills).toBe(KILLS);
  },
);
