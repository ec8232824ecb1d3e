import { Body, Controller, Get, Param, Patch, Query, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { SettingFault } from '../core/config/section.js';
import { checkAllTenants, listNamedTenants } from '../core/identity/all-tenants.js';
import { DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import { TENANT_NAME, TENANT_NAME_RULE } from '../core/identity/tenant-name.js';
import { QuotasService } from '../core/limits/quotas.service.js';
import type { TenantSetting } from '../core/limits/tenants.settings.js';
import { ALL_TENANTS, UsageStore } from '../core/store/index.js';
import { validated } from '../http/index.js';
import { GatewayError } from '../protocol/index.js';
import { Cursors, pickPage } from './pages.js';
import { CursorQuery } from './queue.dto.js';
import { ChangeTenantDto, TenantsDto, type TenantDto } from './tenants.dto.js';

/** Tries of a change while others change the settings. */
const MAX_TRIES = 5;

/** Lists the tenants with their limits and quotas, and changes those. They are the setting `tenants`. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/tenants')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class TenantsController {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly quotas: QuotasService,
    private readonly usage: UsageStore,
  ) {}

  /** Those that the settings name or that have sessions, tokens or usage, by name. */
  @Get()
  @RequireScope('admin:read')
  async list(@Query() { limit, cursor }: CursorQuery, @Caller() caller: Principal): Promise<TenantsDto> {
    checkAllTenants(caller, this.config);
    const cursors = new Cursors<string>('tenants');
    const names = new Set([
      DEFAULT_TENANT,
      ...listNamedTenants((key) => this.config.get(key)),
      ...(await this.usage.listTenants()),
    ]);
    names.delete(ALL_TENANTS);
    const { items, next } = pickPage(names, (name) => name, { limit, cursor: cursors.decode(cursor) });
    return { items: items.map((name) => this.toDto(name)), ...(next !== undefined && { next: cursors.encode(next) }) };
  }

  /** Changes the limits and quotas that are given, permanently; null removes one. */
  @Patch(':name')
  @RequireScope('admin:write')
  async change(
    @Param('name') name: string,
    @Body() { limits, quotas }: ChangeTenantDto,
    @Caller() caller: Principal,
  ): Promise<TenantDto> {
    checkAllTenants(caller, this.config);
    if (!TENANT_NAME.test(name)) {
      const faults = [{ pointer: '/name', message: `must be ${TENANT_NAME_RULE}` }];
      throw new GatewayError('INVALID_PAYLOAD', { faults });
    }
    // From then on the settings name another tenant, and operators of the default one see that alone.
    if (name !== DEFAULT_TENANT && caller.tenant !== ALL_TENANTS)
      throw new GatewayError('FORBIDDEN', {
        reason: 'limits and quotas of other tenants need a credential whose tenant is "*"',
      });
    for (let tries = 1; ; tries++) {
      const tenants = { ...this.config.get('tenants') };
      const changed = merge(this.settingOf(name), { limits, quotas });
      if (Object.keys(changed).length > 0) tenants[name] = changed;
      else delete tenants[name];
      const outcome = await this.config.change(this.config.version, { tenants }, caller.principal);
      if (outcome.kind === 'invalid') throw invalid(outcome.faults, name);
      if (outcome.kind === 'changed') {
        await this.quotas.whenCounted();
        return this.toDto(name);
      }
      if (tries === MAX_TRIES) throw new GatewayError('STALE_VERSION', { version: outcome.version });
    }
  }

  private settingOf(name: string): TenantSetting {
    const tenants = this.config.get('tenants');
    return (Object.hasOwn(tenants, name) ? tenants[name] : undefined) ?? {};
  }

  private toDto(name: string): TenantDto {
    const { limits = {}, quotas = {} } = this.settingOf(name);
    const states = this.quotas.list(name);
    return {
      name,
      limits,
      quotas,
      used: Object.fromEntries(states.map(({ quota, used }) => [quota, used])),
      resets_at: this.quotas.readDay().to,
    };
  }
}

/** Returns a setting with changed fields, without those that are null, and without parts that are empty then. */
function merge(setting: TenantSetting, changes: ChangeTenantDto): TenantSetting {
  const parts = (['limits', 'quotas'] as const).map((part) => {
    const fields = Object.entries({ ...setting[part], ...changes[part] }).filter(([, value]) => value !== null);
    return [part, Object.fromEntries(fields)] as const;
  });
  return Object.fromEntries(parts.filter(([, fields]) => Object.keys(fields).length > 0));
}

function invalid(faults: readonly SettingFault[], name: string): GatewayError<'INVALID_PAYLOAD'> {
  return new GatewayError('INVALID_PAYLOAD', {
    faults: faults.map((fault) => ({ pointer: pointerOf(fault, name), message: fault.message })),
  });
}

/** Returns where a fault of the setting `tenants` is in the request, which is about one tenant. */
function pointerOf({ key, at = '' }: SettingFault, name: string): string {
  const ofTenant = `tenants.${name}.`;
  if (key.startsWith(ofTenant)) return `/${key.slice(ofTenant.length).replaceAll('.', '/')}`;
  return at.startsWith(`/${name}/`) ? at.slice(name.length + 1) : '';
}
