import {
  Body,
  ConflictException,
  Controller,
  Get,
  HttpCode,
  Patch,
  Post,
  Query,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { ApiBearerAuth, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import { Caller, checkGrants, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { canChangeRights } from '../core/agents/agent-rights.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { SettingsHistoryService } from '../core/config/settings-history.service.js';
import { SettingsError, type SettingFault } from '../core/config/section.js';
import { checkAllTenants, checkStaysOfAll } from '../core/identity/all-tenants.js';
import { checkScope, type Principal } from '../core/identity/principal.js';
import { GatewayError } from '../protocol/index.js';
import { LargeJsonBody, validated } from '../http/index.js';
import { ChangeConfigDto, ConfigChangedDto, ConfigDto, ConfigHistoryDto, RevertConfigDto } from './config.dto.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';
import { CursorQuery } from './queue.dto.js';
import { SettingsChangePipe } from './settings-change.pipe.js';

/** Reads the current settings and changes them with compare-and-set. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/config')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class ConfigController {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly history: SettingsHistoryService,
  ) {}

  /** Returns all settings with their source; secrets are hidden. */
  @Get()
  @RequireScope('admin:read')
  readConfig(@Caller() caller: Principal): ConfigDto {
    checkAllTenants(caller, this.config);
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
  @ApiConflictResponse({ description: '`STALE_VERSION`: the settings have been changed meanwhile; read them again.' })
  @UseInterceptors(new LargeJsonBody())
  @UsePipes(new SettingsChangePipe())
  async changeConfig(@Body() body: ChangeConfigDto, @Caller() caller: Principal): Promise<ConfigChangedDto> {
    return this.change(body.version, body.changes, caller);
  }

  /** Returns the changes at run time, the newest first; secrets are hidden. The last 500 are kept. */
  @Get('history')
  @RequireScope('admin:read')
  @UsePipes(validated())
  async listHistory(
    @Query() { limit = DEFAULT_LIMIT, cursor }: CursorQuery,
    @Caller() caller: Principal,
  ): Promise<ConfigHistoryDto> {
    checkAllTenants(caller, this.config);
    const cursors = new Cursors<number>('config history');
    const versions = await this.history.list(cursors.decode(cursor) ?? Number.MAX_SAFE_INTEGER, limit + 1);
    const items = versions.slice(0, limit).map((row) => ({ ...row }));
    const last = items.at(-1);
    return { items, ...(versions.length > limit && last && { next: cursors.encode(last.version) }) };
  }

  /**
   * Brings back the values that were stored at a version, as a change of its own: secrets too. The caller needs the scopes that the
   * change needs.
   */
  @Post('revert')
  @HttpCode(200)
  @RequireScope('config:write')
  @ApiConflictResponse({
    description: 'There was never such a version, or the changes since it are not kept any more.',
  })
  @UsePipes(validated())
  async revert(@Body() { version }: RevertConfigDto, @Caller() caller: Principal): Promise<ConfigChangedDto> {
    checkAllTenants(caller, this.config);
    const newest = this.config.version;
    if (version > newest)
      throw new ConflictException(`There was never a version ${version} of the settings: the newest is ${newest}`);
    const changes = await this.history.findRevert(version);
    if (!changes) throw new ConflictException(`The changes since version ${version} are not kept any more`);
    if (Object.keys(changes).length === 0) return { version: this.config.version, needs_restart: [] };
    return this.change(this.config.version, changes, caller);
  }

  private async change(
    version: number,
    changes: Readonly<Record<string, unknown>>,
    caller: Principal,
  ): Promise<ConfigChangedDto> {
    // Another replica has made that version; rights are compared with the settings that the change replaces.
    if (version > this.config.version) await this.config.reload();
    for (const scope of this.config.scopesOf(changes)) checkScope(caller, scope);
    checkAllTenants(caller, this.config);
    if (version > this.config.version) throw new GatewayError('STALE_VERSION', { version: this.config.version });
    const outcome = await this.config.change(version, changes, caller.principal, (before, after) => {
      checkStaysOfAll(caller, after);
      if (canChangeRights(before, after)) checkScope(caller, 'config:dangerous');
      checkGrants(caller, before, after);
    });
    switch (outcome.kind) {
      case 'changed':
        return { version: outcome.version, needs_restart: [...outcome.needsRestart] };
      case 'stale':
        throw new GatewayError('STALE_VERSION', { version: outcome.version });
      case 'invalid':
        throw invalid(outcome.faults);
    }
  }
}

function invalid(faults: readonly SettingFault[]): GatewayError<'INVALID_PAYLOAD'> {
  return new GatewayError('INVALID_PAYLOAD', {
    faults: faults
      .slice(0, SettingsError.MAX_LISTED)
      .map(({ key, message }) => ({ pointer: `/changes/${key}`, message })),
  });
}
