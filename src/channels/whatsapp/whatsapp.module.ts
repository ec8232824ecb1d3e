// Promises: the channel `whatsapp`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { WhatsappWebhookController } from './webhook.controller.js';
import { WhatsappWebhooks } from './webhooks.js';
import { WhatsappDriver } from './whatsapp.driver.js';

@Module({
  controllers: [WhatsappWebhookController],
  providers: [WhatsappDriver, WhatsappWebhooks],
})
export class WhatsappModule {}
