import { SystemClock } from '../../src/core/time/clock.js';
import { TelegramDriver } from '../../src/channels/telegram/telegram.driver.js';
import { TelegramWebhooks } from '../../src/channels/telegram/webhooks.js';
import { describeChannelDriverContract, type DriverUnderTest } from '../../src/testing/channel-driver.contract.js';
import { BOT_TOKEN, FakeTelegram, type Failure, type Payload } from '../support/fake-telegram.js';

const FAILURES: Readonly<Record<Parameters<DriverUnderTest['failNext']>[0], Failure>> = {
  'rate limited': { status: 429, description: 'Too Many Requests: retry after 1', parameters: { retry_after: 1 } },
  blocked: { status: 403, description: 'Forbidden: bot was blocked by the user' },
  'response lost': { drop: 'after' },
  revoked: { status: 401, description: 'Unauthorized' },
};

async function make(): Promise<DriverUnderTest> {
  const telegram = await FakeTelegram.start();
  let newest: Payload;
  return {
    driver: new TelegramDriver(new SystemClock(), new TelegramWebhooks()),
    settings: { bot_token: BOT_TOKEN, api_root: telegram.url },
    write: (sender, text) => void (newest = telegram.write(sender, text)),
    redeliver: () => telegram.deliver({ message: newest }),
    edit: (text) => telegram.deliver({ edited_message: { ...newest, text, edit_date: Number(newest['date']) + 1 } }),
    react: () => {
      const { chat, from: user, message_id, date } = newest;
      const reactions = { old_reaction: [], new_reaction: [{ type: 'emoji', emoji: '👍' }] };
      telegram.deliver({ message_reaction: { chat, user, message_id, date, ...reactions } });
    },
    press: (sender, data) => {
      const from = { id: sender, is_bot: false, first_name: 'Ann' };
      telegram.deliver({ callback_query: { id: 'press-1', from, message: newest, data } });
    },
    shown: (sender) => telegram.read(sender),
    failNext: (failure) => telegram.failNext('sendMessage', FAILURES[failure]),
    dispose: () => telegram.close(),
  };
}

describeChannelDriverContract('the driver of Telegram keeps the contract of drivers', make);
