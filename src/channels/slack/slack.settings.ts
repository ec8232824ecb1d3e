import Type from 'typebox';
import { apiRoot, credential, defineAccountSettings } from '../../core/channels/account-settings.js';

/** The settings of the channel `slack` besides those that all channels have. */
export const slackSettings = defineAccountSettings(
  'slack',
  {
    bot_token: credential('^xoxb-[A-Za-z0-9-]{8,250}$', 'The token of the bot: `xoxb-...`.'),
    app_token: Type.Optional(
      credential(
        '^xapp-[A-Za-z0-9-]{8,250}$',
        'The token of the app, `xapp-...`: with it the gateway connects to Slack.',
      ),
    ),
    signing_secret: Type.Optional(
      credential('^[A-Za-z0-9]{16,128}$', 'Signs what Slack delivers to `/channels/slack/ACCOUNT/events`.'),
    ),
    api_root: apiRoot('https://slack.com/api', 'The server of the Web API, without a slash at the end.'),
    reply_in_thread: Type.Boolean({
      default: true,
      description: 'Reply to a mention in a channel in a thread of its own.',
    }),
    require_mention_in_threads: Type.Boolean({
      default: false,
      description: 'In threads in which the agent takes part, answer only what addresses it.',
    }),
  },
  {
    identity: 'bot_token',
    isDeliveredTo: ({ app_token: app }) => app === undefined,
    findFaults: ({ app_token: app, signing_secret: secret }) =>
      app === undefined && secret === undefined
        ? [{ key: 'app_token', message: 'is missing, and so is `signing_secret`: messages need one of them to arrive' }]
        : [],
  },
);

/** The settings of the driver by their types. */
export type SlackSettings = (typeof slackSettings)['own'];
