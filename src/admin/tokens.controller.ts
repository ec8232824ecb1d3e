import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import {
  Caller,
  HttpAuthGuard,
  RequireRole,
  RequireScope,
  Speaker,
  TokenAdministrationService,
  Viewer,
} from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { isOfAllTenants } from '../core/identity/all-tenants.js';
import type { Principal } from '../core/identity/principal.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';
import { CursorQuery } from './queue.dto.js';
import { MadeTokenDto, MeDto, TokensDto, toTokenDto, TokenWishDto } from './tokens.dto.js';
import { isInScope } from '../core/store/index.js';
import { validated } from '../http/index.js';
import { GatewayError } from '../protocol/index.js';

/** Makes tokens at run time, lists them and revokes them. Those of the settings are not among them. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/tokens')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class TokensController {
  constructor(private readonly tokens: TokenAdministrationService) {}

  /** The oldest first. Expired ones are among them for 30 days. */
  @Get()
  @RequireScope('admin:read')
  async list(
    @Query() { limit = DEFAULT_LIMIT, cursor }: CursorQuery,
    @Viewer() { tenant }: Principal,
  ): Promise<TokensDto> {
    const cursors = new Cursors<string>('tokens', tenant);
    const records = await this.tokens.list({ tenant, after: cursors.decode(cursor), limit: limit + 1 });
    const items = records.slice(0, limit).map(toTokenDto);
    const last = items.at(-1);
    return { items, ...(last && records.length > limit && { next: cursors.encode(last.id) }) };
  }

  /** Makes a token with no more rights than the caller has. The answer alone has its secret. */
  @Post()
  @HttpCode(201)
  @RequireScope('tokens:write')
  async create(
    @Body() { expires_at: expiresAt, tenant, ...wish }: TokenWishDto,
    @Caller() caller: Principal,
    @Viewer() viewer: Principal,
    @Speaker() speaker: Principal,
  ): Promise<MadeTokenDto> {
    if (tenant !== undefined && !isInScope(viewer.tenant, tenant))
      throw new GatewayError('NOT_FOUND', { what: `tenant ${tenant}` });
    const { record, token } = await this.tokens.create(caller, {
      ...wish,
      tenant: tenant ?? speaker.tenant,
      expiresAt,
    });
    return Object.assign(toTokenDto(record), { token });
  }

  /** Revokes a token: it is refused from now on, and its connections end. */
  @Delete(':id')
  @HttpCode(204)
  @RequireScope('tokens:write')
  async revoke(@Param('id') id: string, @Viewer() { tenant, principal }: Principal): Promise<void> {
    await this.tokens.revoke(tenant, id, principal);
  }
}

/** Describes the principal of a credential. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/me')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class MeController {
  constructor(private readonly config: ConfigStoreService) {}

  /** Returns the principal of the caller's credential, and its rights. */
  @Get()
  read(@Caller() caller: Principal): MeDto {
    const { principal, tenant, role, scopes, channels, expiresAt } = caller;
    return {
      ...{ principal, tenant, role, scopes: [...scopes] },
      all_tenants: isOfAllTenants(caller, this.config),
      ...(channels && { channels }),
      ...(expiresAt !== undefined && { expires_at: expiresAt }),
    };
  }
}
