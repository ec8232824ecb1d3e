import { Body, Controller, Delete, Get, HttpCode, Param, Post, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Caller, checkGrants, HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import { DEFAULT_ACCOUNT } from '../core/channels/account-settings.js';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { ChannelSetupService } from '../core/channels/channel-setup.service.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { SettingsReader } from '../core/config/section.js';
import { checkScope, DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import { type PairingRequest, isInScope } from '../core/store/index.js';
import { GatewayError } from '../protocol/index.js';
import {
  AddedChannelDto,
  ChannelCheckDto,
  ChannelDto,
  ChannelSettingsDto,
  ChannelTestDto,
  ChannelTestResultDto,
  ChannelsDto,
  NewChannelDto,
  PairingDto,
  PairingsDto,
  SendersDto,
} from './channels.dto.js';
import { validated } from '../http/index.js';

/** Lists the channels with their states, and lets in the senders who wait. Channels belong to the tenant `default`. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/channels')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class ChannelsController {
  constructor(
    private readonly channels: ChannelManagerService,
    private readonly setup: ChannelSetupService,
    private readonly config: ConfigStoreService,
  ) {}

  /** Sorted by name. */
  @Get()
  @RequireScope('admin:read')
  async list(@Viewer() { tenant }: Principal): Promise<ChannelsDto> {
    if (!isInScope(tenant, DEFAULT_TENANT)) return { items: [] };
    const dead = await this.channels.countDeadLetters();
    const names = [...this.channels.states.keys()].sort();
    return { items: names.map((name) => this.describe(name, dead[name] ?? 0)) };
  }

  /**
   * Adds an account of a channel, or gives it other settings: asks the platform whether it takes them, writes them, and starts
   * the account. The caller needs the scope of each setting.
   */
  @Post()
  @HttpCode(200)
  @RequireScope('admin:write')
  @UsePipes(validated())
  async add(
    @Body() body: NewChannelDto,
    @Caller() caller: Principal,
    @Viewer() viewer: Principal,
  ): Promise<AddedChannelDto> {
    const { name, account = DEFAULT_ACCOUNT, settings, unchecked } = body;
    checkTenant(viewer, name);
    const added = { channel: name, account, settings };
    for (const scope of this.config.scopesOf(this.setup.listChanges(added))) checkScope(caller, scope);
    const permit = (before: SettingsReader, after: SettingsReader) => checkGrants(caller, before, after);
    const { channel, checked, needsRestart } = await this.setup.add(added, caller.principal, permit, unchecked);
    return {
      channel: this.describe(channel, (await this.channels.countDeadLetters())[channel] ?? 0),
      ...(checked && { speaks_as: checked.name }),
      remarks: [...(checked?.remarks ?? [])],
      needs_restart: [...needsRestart],
    };
  }

  /** Lists what a channel can be configured with, besides what all channels have. */
  @Get(':name/settings')
  @RequireScope('admin:read')
  listSettings(@Param('name') name: string, @Viewer() caller: Principal): ChannelSettingsDto {
    checkTenant(caller, name);
    const items = this.setup.describe(name).map(({ isRequired: required, isSecret: secret, ...rest }) => ({
      ...rest,
      required,
      secret,
    }));
    return { items };
  }

  /** Starts a channel that was stopped. */
  @Post(':name/start')
  @HttpCode(200)
  @RequireScope('admin:write')
  start(@Param('name') name: string, @Viewer() caller: Principal): Promise<ChannelDto> {
    return this.change(caller, name, async () => this.channels.startChannel(name));
  }

  /** Stops a channel, until it is started again or the gateway is. */
  @Post(':name/stop')
  @HttpCode(200)
  @RequireScope('admin:write')
  stop(@Param('name') name: string, @Viewer() caller: Principal): Promise<ChannelDto> {
    return this.change(caller, name, () => this.channels.stopChannel(name));
  }

  /** Stops a channel and starts it again. */
  @Post(':name/restart')
  @HttpCode(200)
  @RequireScope('admin:write')
  restart(@Param('name') name: string, @Viewer() caller: Principal): Promise<ChannelDto> {
    return this.change(caller, name, async () => {
      await this.channels.stopChannel(name);
      this.channels.startChannel(name);
    });
  }

  /** Asks the platform whether it takes the settings of a channel, and what is missing. Nothing changes. */
  @Post(':name/check')
  @HttpCode(200)
  @RequireScope('admin:write')
  async check(@Param('name') name: string, @Viewer() caller: Principal): Promise<ChannelCheckDto> {
    checkTenant(caller, name);
    const checked = await this.setup.checkAgain(name);
    return { ...(checked && { speaks_as: checked.name }), remarks: [...(checked?.remarks ?? [])] };
  }

  /** Sends a test message to a chat, and waits for its fate for 15 s. */
  @Post(':name/test')
  @HttpCode(200)
  @RequireScope('admin:write')
  @UsePipes(validated())
  async test(
    @Param('name') name: string,
    @Body() { chat }: ChannelTestDto,
    @Viewer() caller: Principal,
  ): Promise<ChannelTestResultDto> {
    checkTenant(caller, name);
    const { state, reason } = await this.channels.sendTest(name, chat);
    return { state, ...(reason !== undefined && { reason }) };
  }

  /** Lists the senders who wait, oldest first. */
  @Get(':name/pairings')
  @RequireScope('admin:read')
  async listPairings(@Param('name') name: string, @Viewer() caller: Principal): Promise<PairingsDto> {
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
    @Viewer() caller: Principal,
  ): Promise<PairingDto> {
    checkTenant(caller, name);
    return toDto(await this.channels.approvePairing(name, code, caller.principal));
  }

  /** Lists the senders who were let in by a code, the newest first. */
  @Get(':name/senders')
  @RequireScope('admin:read')
  async listSenders(@Param('name') name: string, @Viewer() caller: Principal): Promise<SendersDto> {
    checkTenant(caller, name);
    const admitted = await this.channels.listAdmitted(name);
    return { items: admitted.map(({ sender, approvedAt }) => ({ sender, approved_at: approvedAt })) };
  }

  /** Puts out a sender who was let in by a code, or discards the request of one who waits. */
  @Delete(':name/senders/:sender')
  @HttpCode(204)
  @RequireScope('admin:write')
  async revoke(
    @Param('name') name: string,
    @Param('sender') sender: string,
    @Viewer() caller: Principal,
  ): Promise<void> {
    checkTenant(caller, name);
    await this.channels.revokePairing(name, sender, caller.principal);
  }

  private async change(caller: Principal, name: string, change: () => Promise<void>): Promise<ChannelDto> {
    checkTenant(caller, name);
    await change();
    return this.describe(name, (await this.channels.countDeadLetters())[name] ?? 0);
  }

  private describe(name: string, deadLetters: number): ChannelDto {
    const { state = 'stopped', reason, since = 0 } = this.channels.states.get(name) ?? {};
    const { lastInAt, lastOutAt, turnedAway, lostReplies, lostReason } = this.channels.activity.get(name) ?? {};
    return {
      name,
      state,
      ...(reason && { reason }),
      since,
      ...(lastInAt !== undefined && { last_in_at: lastInAt }),
      ...(lastOutAt !== undefined && { last_out_at: lastOutAt }),
      dead_letters: deadLetters,
      ...(turnedAway !== undefined && { turned_away: turnedAway }),
      ...(lostReplies !== undefined && { lost_replies: lostReplies, lost_reason: lostReason ?? '' }),
    };
  }
}

function checkTenant({ tenant }: Principal, channel: string): void {
  if (!isInScope(tenant, DEFAULT_TENANT)) throw new GatewayError('NOT_FOUND', { what: `channel ${channel}` });
}

function toDto({ sender, code, askedAt, expiresAt }: PairingRequest): PairingDto {
  return { sender, code, asked_at: askedAt, expires_at: expiresAt };
}
