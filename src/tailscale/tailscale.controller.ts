import { Body, Controller, Get, Patch, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { checkAllTenants } from '../core/identity/all-tenants.js';
import type { Principal } from '../core/identity/principal.js';
import { GatewayError } from '../protocol/index.js';
import { TailscaleChangeDto, TailscaleDto } from './tailscale.dto.js';
import { TailscaleService } from './tailscale.service.js';
import { validated } from '../http/index.js';

/** Reads whether the gateway is reachable through Tailscale, and changes it. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/tailscale')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class TailscaleController {
  constructor(
    private readonly tailscale: TailscaleService,
    private readonly config: ConfigStoreService,
  ) {}

  /** Returns whether the gateway is reachable through Tailscale, and why not. */
  @Get()
  @RequireScope('admin:read')
  read(@Caller() caller: Principal): TailscaleDto {
    checkAllTenants(caller, this.config);
    return this.describe();
  }

  /**
   * Changes `gateway.expose_via_tailscale` and `gateway.tailscale_mode`, permanently, and waits for the outcome, which takes up to a
   * minute while Tailscale starts. The caller needs `config:dangerous`.
   */
  @Patch()
  @RequireScope('config:dangerous')
  @ApiConflictResponse({ description: 'The settings have been changed meanwhile.' })
  @UsePipes(validated())
  async change(@Body() { expose, mode }: TailscaleChangeDto, @Caller() caller: Principal): Promise<TailscaleDto> {
    checkAllTenants(caller, this.config);
    const changes = {
      ...(expose !== undefined && { 'gateway.expose_via_tailscale': expose }),
      ...(mode !== undefined && { 'gateway.tailscale_mode': mode }),
    };
    const before = this.describeWanted();
    if (Object.keys(changes).length > 0) {
      const outcome = await this.config.change(this.config.version, changes, caller.principal);
      if (outcome.kind === 'stale') throw new GatewayError('STALE_VERSION', { version: outcome.version });
      if (outcome.kind === 'invalid')
        throw new GatewayError('INVALID_PAYLOAD', {
          faults: outcome.faults.map(({ key, message }) => ({ pointer: `/${key}`, message })),
        });
    }
    // A change has begun a look of its own.
    const hasChanged = JSON.stringify(this.describeWanted()) !== JSON.stringify(before);
    await (hasChanged ? this.tailscale.whenSettled() : this.tailscale.look());
    return this.describe();
  }

  private describeWanted(): Pick<TailscaleDto, 'expose' | 'mode'> {
    return {
      expose: this.config.get('gateway.expose_via_tailscale'),
      mode: this.config.get('gateway.tailscale_mode'),
    };
  }

  private describe(): TailscaleDto {
    const { state } = this.tailscale;
    return {
      ...this.describeWanted(),
      port: this.config.get('gateway.tailscale_port'),
      state: state.kind,
      ...(state.kind === 'up' && { url: state.url, target: state.entry.target }),
      ...(state.kind === 'degraded' && { reason: state.problem }),
    };
  }
}
