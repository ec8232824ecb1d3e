import { Body, ConflictException, Controller, Get, Patch, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import { Caller, checkGrants, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { canChangeRights } from '../core/agents/agent-rights.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { SettingsError, type SettingFault } from '../core/config/section.js';
import { checkScope, DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import { GatewayError } from '../protocol/index.js';
import { LargeJsonBody } from '../http/index.js';
import { ChangeConfigDto, ConfigChangedDto, ConfigDto } from './config.dto.js';
import { SettingsChangePipe } from './settings-change.pipe.js';

/** Reads the current settings and changes them with compare-and-set. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/config')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class ConfigController {
  constructor(private readonly config: ConfigStoreService) {}

  /** Returns all settings with their source; secrets are hidden. */
  @Get()
  @RequireScope('admin:read')
  readConfig(@Caller() caller: Principal): ConfigDto {
    checkTenant(caller);
    const settings = this.config.list().map(({ key, value, source, needsRestart, isPending, scope, description }) => ({
      key,
      value: value ?? null,
      source,
      needs_restart: needsRestart,
      pending: isPending,
      scope,
      description,
    }));
    return { version: this.config.version, settings };
  }

  /**
   * Changes all given settings or none, if they are still at `version`. The caller needs the scope of each setting,
   * `config:dangerous` for what can lead messages to an agent with other permissions or tools, and a new credential cannot
   * have more rights than the caller.
   */
  @Patch()
  @ApiConflictResponse({ description: 'The version is stale: read the settings again.' })
  @UseInterceptors(new LargeJsonBody())
  @UsePipes(new SettingsChangePipe())
  async changeConfig(@Body() body: ChangeConfigDto, @Caller() caller: Principal): Promise<ConfigChangedDto> {
    checkTenant(caller);
    // Another replica has made that version; rights are compared with the settings that the change replaces.
    if (body.version > this.config.version) await this.config.reload();
    if (body.version > this.config.version) throw stale(this.config.version);
    for (const scope of this.config.scopesOf(body.changes)) checkScope(caller, scope);
    const outcome = await this.config.change(body.version, body.changes, caller.principal, (before, after) => {
      if (canChangeRights(before, after)) checkScope(caller, 'config:dangerous');
      checkGrants(caller, before, after);
    });
    switch (outcome.kind) {
      case 'changed':
        return { version: outcome.version, needs_restart: [...outcome.needsRestart] };
      case 'stale':
        throw stale(outcome.version);
      case 'invalid':
        throw invalid(outcome.faults);
    }
  }
}

function stale(version: number): ConflictException {
  return new ConflictException(
    `The settings have been changed meanwhile and are at version ${version}; read them again and repeat the change`,
  );
}

function invalid(faults: readonly SettingFault[]): GatewayError<'INVALID_PAYLOAD'> {
  return new GatewayError('INVALID_PAYLOAD', {
    faults: faults
      .slice(0, SettingsError.MAX_LISTED)
      .map(({ key, message }) => ({ pointer: `/changes/${key}`, message })),
  });
}

/** Settings are those of the whole gateway: an operator of one tenant has no say in them. */
function checkTenant({ tenant }: Principal): void {
  if (tenant !== DEFAULT_TENANT)
    throw new GatewayError('FORBIDDEN', { reason: `settings are for operators of tenant ${DEFAULT_TENANT}` });
}
