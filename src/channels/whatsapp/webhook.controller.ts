import type { IncomingMessage } from 'node:http';
import {
  BadRequestException,
  Controller,
  ForbiddenException,
  Get,
  Header,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiForbiddenResponse,
  ApiOkResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { Clock } from '../../core/time/clock.js';
import { SignedBodies } from '../../http/index.js';
import { WhatsappWebhooks, type DeliveryOutcome } from './webhooks.js';

/** Largest delivery, in bytes: the platform sends up to 3 MB. */
const MAX_BODY_BYTES = 4_194_304;

const SIGNATURE = /^sha256=[0-9a-f]{64}$/;
const CHALLENGE = /^[\w-]{1,256}$/;

/** Describes a text for the OpenAPI document. */
const textOf = (example: string) => ({ 'text/plain': { schema: { type: 'string', example } } });

/** Takes what WhatsApp delivers. */
@ApiTags('channels')
@Controller('channels/whatsapp')
export class WhatsappWebhookController {
  private readonly bodies: SignedBodies;

  constructor(
    private readonly webhooks: WhatsappWebhooks,
    clock: Clock,
  ) {
    this.bodies = new SignedBodies(MAX_BODY_BYTES, clock);
  }

  /** The handshake when the URL is entered: responds with the challenge if the token is the right one. */
  @Get(':account')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @ApiOkResponse({ content: textOf('1158201444'), description: 'The challenge.' })
  @ApiForbiddenResponse({ description: 'The token is wrong, or there is no such account.' })
  verify(
    @Param('account') account: string,
    @Query('hub.verify_token') token: string | undefined,
    @Query('hub.challenge') challenge: string | undefined,
  ): string {
    if (typeof token !== 'string' || !this.webhooks.knowsToken(account, token))
      throw new ForbiddenException('The token is wrong, or there is no such account');
    if (typeof challenge !== 'string' || !CHALLENGE.test(challenge))
      throw new BadRequestException('The challenge is missing');
    return challenge;
  }

  /** Responds once all messages of the delivery are stored. WhatsApp delivers again what gets another response. */
  @Post(':account')
  @HttpCode(200)
  @ApiOkResponse({ content: textOf(''), description: 'All of it is stored.' })
  @ApiBadRequestResponse({ description: 'The body is signed, but it is not JSON.' })
  @ApiUnauthorizedResponse({ description: 'The signature is wrong, or there is no such account.' })
  @ApiServiceUnavailableResponse({ description: 'It could not be stored, or the account does not run here.' })
  async deliver(
    @Param('account') account: string,
    @Headers('x-hub-signature-256') signature: string | undefined,
    @Req() request: IncomingMessage,
  ): Promise<void> {
    if (!SIGNATURE.test(signature ?? '')) throw new UnauthorizedException('The delivery is not signed');
    switch (await this.take(account, signature ?? '', await this.bodies.read(request))) {
      case 'stored':
        return;
      case 'forged':
        throw new UnauthorizedException('The signature is wrong, or there is no such account');
      case 'malformed':
        throw new BadRequestException('The body is not JSON');
      case 'absent':
        throw new ServiceUnavailableException('The account does not run here now; deliver it again');
    }
  }

  private async take(account: string, signature: string, body: Buffer): Promise<DeliveryOutcome> {
    try {
      return await this.webhooks.deliver(account, signature, body);
    } catch {
      throw new ServiceUnavailableException('The delivery could not be stored; deliver it again');
    }
  }
}
