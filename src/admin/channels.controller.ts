import { Body, Controller, Get, HttpCode, Param, Post, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import type { PairingRequest } from '../core/store/index.js';
import { GatewayError } from '../protocol/index.js';

/** An account of a channel whose driver runs in the gateway. */
export class ChannelDto {
  /** As in messages: `telegram`, `telegram.support`. */
  name!: string;
  /** connecting, connected, degraded, disconnected, error or stopped. */
  state!: string;
  /** Why it is not connected, or works in part only. */
  reason?: string;
  /** Unix milliseconds. */
  since!: number;
  /** When the platform last handed over something since the start, in Unix milliseconds. */
  last_in_at?: number;
  /** When a message last reached the platform since the start, in Unix milliseconds. */
  last_out_at?: number;
  /** Messages that were given up. */
  dead_letters!: number;
}

/** Where a test message goes. */
export class ChannelTestDto {
  /** The platform's ID of the chat. */
  @IsString()
  @Length(1, 256)
  chat!: string;
}

/** What became of a test message. */
export class ChannelTestResultDto {
  /** sent, dead (refused) or waiting. */
  state!: string;
  reason?: string;
}

export class ChannelsDto {
  items!: ChannelDto[];
}

/** A sender who asks to be let in. */
export class PairingDto {
  sender!: string;
  code!: string;
  /** Unix milliseconds. */
  asked_at!: number;
  /** Unix milliseconds. */
  expires_at!: number;
}

export class PairingsDto {
  items!: PairingDto[];
}

/** Lists the channels with their states, and lets in the senders who wait. Channels belong to the tenant `default`. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/channels')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class ChannelsController {
  constructor(private readonly channels: ChannelManagerService) {}

  /** Sorted by name. */
  @Get()
  @RequireScope('admin:read')
  async list(@Caller() { tenant }: Principal): Promise<ChannelsDto> {
    if (tenant !== DEFAULT_TENANT) return { items: [] };
    const dead = await this.channels.countDeadLetters();
    const names = [...this.channels.states.keys()].sort();
    return { items: names.map((name) => this.describe(name, dead[name] ?? 0)) };
  }

  /** Starts a channel that was stopped. */
  @Post(':name/start')
  @HttpCode(200)
  @RequireScope('admin:write')
  start(@Param('name') name: string, @Caller() caller: Principal): Promise<ChannelDto> {
    return this.change(caller, name, async () => this.channels.startChannel(name));
  }

  /** Stops a channel, until it is started again or the gateway is. */
  @Post(':name/stop')
  @HttpCode(200)
  @RequireScope('admin:write')
  stop(@Param('name') name: string, @Caller() caller: Principal): Promise<ChannelDto> {
    return this.change(caller, name, () => this.channels.stopChannel(name));
  }

  /** Stops a channel and starts it again. */
  @Post(':name/restart')
  @HttpCode(200)
  @RequireScope('admin:write')
  restart(@Param('name') name: string, @Caller() caller: Principal): Promise<ChannelDto> {
    return this.change(caller, name, async () => {
      await this.channels.stopChannel(name);
      this.channels.startChannel(name);
    });
  }

  /** Sends a test message to a chat, and waits for its fate for 15 s. */
  @Post(':name/test')
  @HttpCode(200)
  @RequireScope('admin:write')
  @UsePipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }))
  async test(
    @Param('name') name: string,
    @Body() { chat }: ChannelTestDto,
    @Caller() caller: Principal,
  ): Promise<ChannelTestResultDto> {
    checkTenant(caller, name);
    const { state, reason } = await this.channels.sendTest(name, chat);
    return { state, ...(reason !== undefined && { reason }) };
  }

  /** Lists the senders who wait, oldest first. */
  @Get(':name/pairings')
  @RequireScope('admin:read')
  async listPairings(@Param('name') name: string, @Caller() caller: Principal): Promise<PairingsDto> {
    checkTenant(caller, name);
    return { items: (await this.channels.listPairings(name)).map(toDto) };
  }

  /** Lets in the sender who was given this code. */
  @Post(':name/pairings/:code/approve')
  @HttpCode(200)
  @RequireScope('admin:write')
  async approve(
    @Param('name') name: string,
    @Param('code') code: string,
    @Caller() caller: Principal,
  ): Promise<PairingDto> {
    checkTenant(caller, name);
    return toDto(await this.channels.approvePairing(name, code, caller.principal));
  }

  private async change(caller: Principal, name: string, change: () => Promise<void>): Promise<ChannelDto> {
    checkTenant(caller, name);
    await change();
    return this.describe(name, (await this.channels.countDeadLetters())[name] ?? 0);
  }

  private describe(name: string, deadLetters: number): ChannelDto {
    const { state = 'stopped', reason, since = 0 } = this.channels.states.get(name) ?? {};
    const { lastInAt, lastOutAt } = this.channels.activity.get(name) ?? {};
    return {
      name,
      state,
      ...(reason && { reason }),
      since,
      ...(lastInAt !== undefined && { last_in_at: lastInAt }),
      ...(lastOutAt !== undefined && { last_out_at: lastOutAt }),
      dead_letters: deadLetters,
    };
  }
}

function checkTenant({ tenant }: Principal, channel: string): void {
  if (tenant !== DEFAULT_TENANT) throw new GatewayError('NOT_FOUND', { what: `channel ${channel}` });
}

function toDto({ sender, code, askedAt, expiresAt }: PairingRequest): PairingDto {
  return { sender, code, asked_at: askedAt, expires_at: expiresAt };
}
