import Type from 'typebox';
import { defineAccountSettings } from '../../core/channels/account-settings.js';

/** The settings of the channel `discord` besides those that all channels have. */
export const discordSettings = defineAccountSettings('discord', {
  bot_token: Type.String({
    pattern: '^[A-Za-z0-9._-]{20,200}$',
    'x-secret': true,
    'x-scope': 'tokens:write',
    description: 'The token of the bot, from the page Bot of the Developer Portal.',
  }),
  api_root: Type.String({
    pattern: '^https?://[^\\s]*[^\\s/]$',
    default: 'https://discord.com/api/v10',
    'x-scope': 'config:dangerous',
    description: 'The REST API, version 10, without a slash at the end. It names the address of the Gateway.',
  }),
});

/** The settings of the driver by their types. */
export type DiscordSettings = (typeof discordSettings)['own'];
