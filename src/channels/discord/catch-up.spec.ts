import { expect, it } from 'vitest';
import { DeliveryError, type RecentChat } from '../../core/channels/driver.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { CatchUp } from './catch-up.js';
import type { DiscordRest } from './rest.js';

it('makes no further call once nothing new should be taken', async () => {
  const chats = Array.from({ length: 20 }, (_, n): RecentChat => ({
    place: { chat: String(n) },
    messageId: 'discord:5',
    sentAt: 0,
    since: 0,
  }));
  const ending = new AbortController();
  let calls = 0;
  const call = async () => {
    calls++;
    throw new DeliveryError('not_sent', 'too many requests', 60_000);
  };
  const done = new CatchUp({
    rest: { call } as unknown as DiscordRest,
    link: { listChats: async () => chats, log: new SilentLogs().for() },
    clock: new ManualClock(),
    signal: ending.signal,
    findChannel: async () => undefined,
    receive: async () => {},
  }).run();
  await expect.poll(() => calls).toBe(4);
  ending.abort();
  await done;
  expect(calls).toBe(4);
});
