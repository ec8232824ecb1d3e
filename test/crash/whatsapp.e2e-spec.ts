import { afterEach, expect, it } from 'vitest';
import { WhatsappCampaign } from './whatsapp-campaign.js';

const isLong = Boolean(process.env['LONG']);
const CHATS = isLong ? 20 : 4;
/** Number of messages of each life, with the failpoint at which it ends; a random moment without one. */
const LIVES: readonly (readonly [messages: number, failpoint?: string])[] = isLong
  ? Array.from({ length: 20 }, () => [10])
  : [
      [1, 'outbox.after_send:1'],
      [8, 'inbox.after_commit:1'],
    ];
const MESSAGES = LIVES.reduce((sum, [messages]) => sum + messages, 0);
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

let campaign: WhatsappCampaign | undefined;
afterEach(() => campaign?.remove());

it(
  `${MESSAGES} messages in ${CHATS} chats of WhatsApp in its worst mode, with ${LIVES.length} kills (seed ${SEED}), are answered in order`,
  { timeout: 900_000 },
  async () => {
    campaign = await WhatsappCampaign.start(CHATS, SEED);
    for (const life of LIVES) await campaign.live(...life);
    const outcome = await campaign.verify();
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    expect(outcome.kills).toBe(LIVES.length);
  },
);
