import {
  BadRequestException,
  Controller,
  Headers,
  HttpCode,
  Param,
  Post,
  Req,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiOkResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import type { IncomingMessage } from 'node:http';
import { Clock } from '../../core/time/clock.js';
import { SignedBodies } from '../../http/index.js';
import { SlackAccounts } from './accounts.js';
import { toRaw, toText, type Raw } from '../../core/channels/kit/raw.js';

/** Largest delivery, in bytes. */
const MAX_BODY_BYTES = 1_048_576;

/** Takes what Slack delivers, for accounts with a `signing_secret`. */
@ApiTags('channels')
@Controller('channels/slack')
export class SlackEventsController {
  private readonly bodies: SignedBodies;

  constructor(
    private readonly accounts: SlackAccounts,
    private readonly clock: Clock,
  ) {
    this.bodies = new SignedBodies(MAX_BODY_BYTES, clock);
  }

  /** Responds once the event is stored. Slack delivers again what gets another response. */
  @Post(':account/events')
  @HttpCode(200)
  @ApiOkResponse({
    content: {
      'application/json': {
        schema: { type: 'object', properties: { challenge: { type: 'string', example: '3eZbrw1aBm' } } },
      },
    },
    description: 'The event is stored, or ignored; the challenge, when Slack checks the URL.',
  })
  @ApiBadRequestResponse({ description: 'The body is signed, but is neither an event nor the press of a button.' })
  @ApiUnauthorizedResponse({ description: 'The signature is wrong or old, or the account does not run here.' })
  @ApiServiceUnavailableResponse({ description: 'The event could not be stored, or too many are read.' })
  async deliver(
    @Param('account') name: string,
    @Headers('x-slack-request-timestamp') timestamp: string | undefined,
    @Headers('x-slack-signature') signature: string | undefined,
    @Req() request: IncomingMessage,
  ): Promise<object> {
    const signed = { timestamp: timestamp ?? '', signature: signature ?? '' };
    const forged = new UnauthorizedException('The signature is wrong or old, or the account does not run here');
    if (!this.accounts.expects(name, signed, this.clock.now())) throw forged;
    const body = await this.bodies.read(request);
    const account = this.accounts.findSigned(name, signed, body, this.clock.now());
    if (!account) throw forged;
    const envelope = parse(body, request.headers['content-type'] ?? '');
    if (envelope['type'] === 'url_verification') return { challenge: toText(envelope['challenge']) ?? '' };
    try {
      await account.take(envelope);
    } catch {
      throw new ServiceUnavailableException('The event could not be stored; deliver it again');
    }
    return {};
  }
}

/** Events are JSON; the press of a button is JSON in a form. */
function parse(body: Buffer, type: string): Raw {
  const text = body.toString();
  const json = type.startsWith('application/x-www-form-urlencoded') ? new URLSearchParams(text).get('payload') : text;
  try {
    return toRaw(JSON.parse(json ?? ''));
  } catch {
    throw new BadRequestException('The body is not JSON');
  }
}
