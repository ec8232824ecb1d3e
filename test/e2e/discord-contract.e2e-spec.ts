import { DiscordDriver } from '../../src/channels/discord/discord.driver.js';
import { SystemClock } from '../../src/core/time/clock.js';
import { describeChannelDriverContract, type DriverUnderTest } from '../../src/testing/channel-driver.contract.js';
import { BOT_TOKEN, FakeDiscord, tooMany, type Failure, type Payload } from '../support/fake-discord.js';

const FAILURES: Readonly<Record<Parameters<DriverUnderTest['failNext']>[0], Failure>> = {
  'rate limited': tooMany(0.4),
  blocked: { status: 403, body: { message: 'Cannot send messages to this user', code: 50_007 } },
  'response lost': { drop: 'after' },
  revoked: { status: 401, body: { message: '401: Unauthorized', code: 0 } },
};

async function make(): Promise<DriverUnderTest> {
  const discord = await FakeDiscord.start();
  let newest: Payload;
  return {
    driver: new DiscordDriver(new SystemClock()),
    settings: { bot_token: BOT_TOKEN, api_root: discord.apiRoot },
    write: (sender, text) => void (newest = discord.write(sender, text)),
    redeliver: () => discord.deliver('MESSAGE_CREATE', newest),
    edit: (content) =>
      discord.deliver('MESSAGE_UPDATE', { ...newest, content, edited_timestamp: new Date().toISOString() }),
    react: () => {
      const { id, channel_id, author } = newest as { id: string; channel_id: string; author: { id: string } };
      const emoji = { id: null, name: '👍' };
      discord.deliver('MESSAGE_REACTION_ADD', { message_id: id, channel_id, user_id: author.id, emoji });
    },
    press: (sender, data) => {
      const where = { channel_id: discord.chatOf(sender), message: { id: newest['id'] } };
      const press = { id: '900000000000000001', type: 3, token: 'press-token', data: { custom_id: data } };
      discord.deliver('INTERACTION_CREATE', { ...press, ...where, user: { id: sender, username: sender } });
    },
    shown: (sender) => discord.read(discord.chatOf(sender)),
    failNext: (failure) => discord.failNext('POST messages', FAILURES[failure]),
    dispose: () => discord.close(),
  };
}

describeChannelDriverContract('the driver of Discord keeps the contract of drivers', make);
