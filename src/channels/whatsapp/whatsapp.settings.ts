import Type from 'typebox';
import { apiRoot, credential, defineAccountSettings } from '../../core/channels/account-settings.js';

const secret = (description: string) => credential('^\\S{8,1024}$', description);

/** The settings of the channel `whatsapp` besides those that all channels have. */
export const whatsappSettings = defineAccountSettings(
  'whatsapp',
  {
    // It is the value of a header.
    access_token: credential(
      '^[\\x21-\\x7e]{8,1024}$',
      'The token of a system user of the business, with `whatsapp_business_messaging`.',
    ),
    phone_number_id: Type.String({
      pattern: '^[0-9]{1,32}$',
      'x-scope': 'config:dangerous',
      description: 'The ID of the phone number, from the page API Setup of the app. It is not the number.',
    }),
    app_secret: secret('The secret of the app, by which deliveries are signed.'),
    verify_token: secret('A text of your choice, entered with the URL of the webhook: `/channels/whatsapp/ACCOUNT`.'),
    api_root: apiRoot(
      'https://graph.facebook.com/v24.0',
      'The server of the Graph API with its version, without a slash at the end.',
    ),
  },
  { identity: 'phone_number_id', isDeliveredTo: () => true },
);

/** The settings of the driver by their types. */
export type WhatsappSettings = (typeof whatsappSettings)['own'];
