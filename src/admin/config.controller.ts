import { Body, ConflictException, Controller, Get, Patch, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { ApiBearerAuth, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { Principal } from '../core/identity/principal.js';
import { GatewayError } from '../protocol/index.js';
import { ChangeConfigDto, ConfigChangedDto, ConfigDto } from './config.dto.js';

/** Reads the current settings and changes them with compare-and-set. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/config')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@RequireScope('config:write')
export class ConfigController {
  constructor(private readonly config: ConfigStoreService) {}

  /** Returns all settings with their source; secrets are hidden. */
  @Get()
  readConfig(): ConfigDto {
    const settings = this.config.list().map(({ key, value, source, needsRestart, description }) => ({
      key,
      value: value ?? null,
      source,
      needs_restart: needsRestart,
      description,
    }));
    return { version: this.config.version, settings };
  }

  /** Changes all given settings or none, if they are still at `version`. */
  @Patch()
  @ApiConflictResponse({ description: 'The version is stale: read the settings again.' })
  @UsePipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }))
  async changeConfig(@Body() body: ChangeConfigDto, @Caller() caller: Principal): Promise<ConfigChangedDto> {
    const outcome = await this.config.change(body.version, body.changes, caller.principal);
    switch (outcome.kind) {
      case 'changed':
        return { version: outcome.version, needs_restart: [...outcome.needsRestart] };
      case 'stale':
        throw new ConflictException(
          `The settings have been changed meanwhile and are at version ${outcome.version}; read them again and repeat the change`,
        );
      case 'invalid':
        throw new GatewayError('INVALID_PAYLOAD', {
          faults: outcome.faults.map(({ key, message }) => ({ pointer: `/changes/${key}`, message })),
        });
    }
  }
}
