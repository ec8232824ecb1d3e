import { apiRoot, credential, defineAccountSettings } from '../../core/channels/account-settings.js';

/** The settings of the channel `discord` besides those that all channels have. */
export const discordSettings = defineAccountSettings(
  'discord',
  {
    bot_token: credential(
      '^[A-Za-z0-9._-]{20,200}$',
      'The token of the bot, from the page Bot of the Developer Portal.',
    ),
    api_root: apiRoot(
      'https://discord.com/api/v10',
      'The REST API, version 10, without a slash at the end. It names the address of the Gateway.',
    ),
  },
  { identity: 'bot_token' },
);

/** The settings of the driver by their types. */
export type DiscordSettings = (typeof discordSettings)['own'];
