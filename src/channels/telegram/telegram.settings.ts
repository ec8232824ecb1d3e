import Type from 'typebox';
import { address } from '../../core/config/setting-kinds.js';
import { apiRoot, credential, defineAccountSettings } from '../../core/channels/account-settings.js';

/** The settings of the channel `telegram` besides those that all channels have. */
export const telegramSettings = defineAccountSettings(
  'telegram',
  {
    bot_token: credential('^[0-9]{1,20}:[A-Za-z0-9_-]{8,128}$', 'The token of the bot, from @BotFather.'),
    api_root: apiRoot('https://api.telegram.org', 'The server of the Bot API, without a slash at the end.'),
    webhook_url: Type.Optional(
      address('https', {
        'x-scope': 'config:dangerous',
        description:
          'The public URL of `/channels/telegram/ACCOUNT`. With it Telegram delivers; without it the bot polls.',
      }),
    ),
  },
  { identity: 'bot_token', isDeliveredTo: ({ webhook_url: url }) => url !== undefined },
);

/** The settings of the driver by their types. */
export type TelegramSettings = (typeof telegramSettings)['own'];
