import { Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
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
  list(@Caller() { tenant }: Principal): ChannelsDto {
    const states = tenant === DEFAULT_TENANT ? [...this.channels.states] : [];
    const items = states.map(([name, { state, reason, since }]) => ({ name, state, ...(reason && { reason }), since }));
    return { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)) };
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
}

function checkTenant({ tenant }: Principal, channel: string): void {
  if (tenant !== DEFAULT_TENANT) throw new GatewayError('NOT_FOUND', { what: `channel ${channel}` });
}

function toDto({ sender, code, askedAt, expiresAt }: PairingRequest): PairingDto {
  return { sender, code, asked_at: askedAt, expires_at: expiresAt };
}
