// Promises: the channel `whatsapp`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { loadedLater } from '../../core/channels/channel-driver.decorator.js';
import { WhatsappWebhookController } from './webhook.controller.js';
import { WhatsappWebhooks } from './webhooks.js';
import { whatsappSettings } from './whatsapp.settings.js';

const driver = loadedLater(
  'whatsapp',
  whatsappSettings,
  async () => (await import('./whatsapp.driver.js')).WhatsappDriver,
);

@Module({
  controllers: [WhatsappWebhookController],
  providers: [driver, WhatsappWebhooks],
})
export class WhatsappModule {}
