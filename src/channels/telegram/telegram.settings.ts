import Type from 'typebox';
import { defineAccountSettings } from '../../core/channels/account-settings.js';

/** The settings of the channel `telegram` besides those that all channels have. */
export const telegramSettings = defineAccountSettings('telegram', {
  bot_token: Type.String({
    pattern: '^[0-9]{1,20}:[A-Za-z0-9_-]{8,128}$',
    'x-secret': true,
    'x-scope': 'tokens:write',
    description: 'The token of the bot, from @BotFather.',
  }),
  api_root: Type.String({
    pattern: '^https?://[^\\s]*[^\\s/]$',
    default: 'https://api.telegram.org',
    'x-scope': 'config:dangerous',
    description: 'The server of the Bot API, without a slash at the end.',
  }),
  webhook_url: Type.Optional(
    Type.String({
      pattern: '^https://\\S+$',
      'x-scope': 'config:dangerous',
      description:
        'The public URL of `/channels/telegram/ACCOUNT`. With it Telegram delivers; without it the bot polls.',
    }),
  ),
});

/** The settings of the driver by their types. */
export type TelegramSettings = (typeof telegramSettings)['own'];
