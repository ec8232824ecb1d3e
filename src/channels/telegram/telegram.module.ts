// Promises: the channel `telegram`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { TelegramDriver } from './telegram.driver.js';
import { TelegramWebhookController } from './webhook.controller.js';
import { TelegramWebhooks } from './webhooks.js';

@Module({
  controllers: [TelegramWebhookController],
  providers: [TelegramDriver, TelegramWebhooks],
})
export class TelegramModule {}
