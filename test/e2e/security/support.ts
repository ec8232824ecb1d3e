import { Body, Controller, Get, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { expect } from 'vitest';
import { AuthService, Caller, HttpAuthGuard, RequireRole, RequireScope } from '../../../src/auth/index.js';
import type { Principal } from '../../../src/core/identity/principal.js';
import { GatewayError } from '../../../src/protocol/index.js';
import { FrameClient } from '../../support/frame-client.js';

export const OPERATOR = 'token-of-the-operator';
export const READER = 'token-of-a-mere-reader';
export const USER = 'token-of-some-user';
export const tokens = [
  { token: OPERATOR, principal: 'olga', role: 'operator' },
  { token: READER, principal: 'rita', role: 'operator', scopes: ['sessions:read'] },
  { token: USER, principal: 'ulf', role: 'user' },
];
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

@Controller()
export class DeskController {
  constructor(private readonly auth: AuthService) {}

  @Get('health/live')
  live(): object {
    return { status: 'ok' };
  }

  @Get('whoami')
  async whoAmI(@Req() request: IncomingMessage): Promise<object> {
    return { principal: (await this.auth.find(request))?.principal ?? null };
  }

  @Get('fail')
  fail(): void {
    throw new Error('a secret cause');
  }

  @Get('limited')
  limited(): void {
    throw new GatewayError('RATE_LIMITED', { limit: 'a limit' }, { retryAfterMs: 1_500 });
  }

  @HttpCode(200)
  @Post('echo')
  echo(@Body() body: object | undefined): object {
    return { body: body ?? null };
  }
}

@Controller('admin')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class AdminController {
  @RequireScope('admin:read')
  @Get('things')
  things(@Caller() caller: Principal): object {
    return { caller: caller.principal };
  }
}

export const controllers = [DeskController, AdminController];

export async function expectGoodService(port: number, token?: string): Promise<void> {
  const client = await FrameClient.open(port, '', token === undefined ? {} : { headers: bearer(token) });
  const id = client.send('message_in', { channel: 'test', sender: 'alice', content: 'still there?' });
  expect((await client.answerTo(id)).payload).toEqual({ content: 'still there?' });
  await client.close();
}
