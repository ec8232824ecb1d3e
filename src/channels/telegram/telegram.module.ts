// Promises: the channel `telegram`. Refuses to know: what a reply is and who may write; core/channels decides that.
import { Module } from '@nestjs/common';
import { loadedLater } from '../../core/channels/channel-driver.decorator.js';
import { telegramSettings } from './telegram.settings.js';
import { TelegramWebhookController } from './webhook.controller.js';
import { TelegramWebhooks } from './webhooks.js';

const driver = loadedLater(
  'telegram',
  telegramSettings,
  async () => (await import('./telegram.driver.js')).TelegramDriver,
);

@Module({
  controllers: [TelegramWebhookController],
  providers: [driver, TelegramWebhooks],
})
export class TelegramModule {}
