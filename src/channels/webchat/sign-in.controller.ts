import type { IncomingMessage } from 'node:http';
import { Body, Controller, HttpCode, Post, Req, ValidationPipe } from '@nestjs/common';
import { ApiOkResponse, ApiTags, ApiTooManyRequestsResponse, ApiUnauthorizedResponse } from '@nestjs/swagger';
import { admit, AuthService } from '../../auth/index.js';
import { SignInRequest, SignInResult } from './sign-in.dto.js';

/** Exchanges the code of a link for a token. Origins are checked before, as for every POST. */
@ApiTags('web chat')
@Controller('chat')
export class SignInController {
  constructor(private readonly auth: AuthService) {}

  /** Wrong codes count as failed authentications of their address. */
  @Post('sign-in')
  @HttpCode(200)
  @ApiOkResponse({ type: SignInResult })
  @ApiUnauthorizedResponse({ description: 'The code is wrong, was used before, or has expired.' })
  @ApiTooManyRequestsResponse({ description: 'Too many failures from this address.' })
  async signIn(
    @Req() request: IncomingMessage,
    @Body(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true })) { code }: SignInRequest,
  ): Promise<SignInResult> {
    const outcome = await this.auth.redeemPageCode(request, code);
    const { token, expiresAt } = admit(outcome, 'This code is wrong, was used before, or has expired');
    return { token, ...(expiresAt !== undefined && { expires_at: expiresAt }) };
  }
}
