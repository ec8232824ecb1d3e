import {
  Body,
  Controller,
  Headers,
  HttpCode,
  Param,
  Post,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { ApiNoContentResponse, ApiServiceUnavailableResponse, ApiTags, ApiUnauthorizedResponse } from '@nestjs/swagger';
import { TelegramWebhooks } from './webhooks.js';

/** Takes what Telegram delivers, for accounts with `webhook_url`. */
@ApiTags('channels')
@Controller('channels/telegram')
export class TelegramWebhookController {
  constructor(private readonly webhooks: TelegramWebhooks) {}

  /** Responds once the update is stored. Telegram delivers again what gets another response. */
  @Post(':account')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'The update is stored, or ignored.' })
  @ApiUnauthorizedResponse({ description: 'The secret is wrong, or the account does not run here.' })
  @ApiServiceUnavailableResponse({ description: 'The update could not be stored.' })
  async deliver(
    @Param('account') account: string,
    @Headers('x-telegram-bot-api-secret-token') secret: string | undefined,
    @Body() update: object | undefined,
  ): Promise<void> {
    const target = this.webhooks.findBySecret(account, secret ?? '');
    if (!target) throw new UnauthorizedException('The secret is wrong, or the account does not run here');
    try {
      await target.take(update ?? {});
    } catch {
      throw new ServiceUnavailableException('The update could not be stored; deliver it again');
    }
  }
}
