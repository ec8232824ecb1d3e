import { Body, Controller, Get, HttpCode, Post, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../../auth/index.js';
import { DEFAULT_TENANT, type Principal } from '../../core/identity/principal.js';
import { isInScope } from '../../core/store/index.js';
import { GatewayError } from '../../protocol/index.js';
import { ModelsDto, ModelTrialDto, TryModelDto, type ListedModelDto, type OfferedProviderDto } from './models.dto.js';
import type { ListedModel } from './model-lists.js';
import { ModelsService, type OfferedProvider } from './models.service.js';
import { validated } from '../../http/index.js';

/** Lists the providers of models, and tries models. Settings configure them. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/models')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class ModelsController {
  constructor(private readonly models: ModelsService) {}

  /**
   * Returns the configured providers with their state and models, and those that could be: the model servers found on this
   * machine, and the known providers that need only a key.
   */
  @Get()
  @RequireScope('admin:read')
  async listModels(@Viewer() caller: Principal): Promise<ModelsDto> {
    const maySetUp = isInScope(caller.tenant, DEFAULT_TENANT);
    const [providers, servers, known] = await Promise.all([
      this.models.listProviders(caller.tenant),
      maySetUp ? this.models.findLocalServers() : [],
      maySetUp ? this.models.listKnownProviders() : [],
    ]);
    return {
      items: providers.map(({ name, provider, models, fault, resting }) => ({
        name,
        api: provider.api,
        // Shared ones are set up by the gateway's operators; those of a tenant use them by name.
        ...((maySetUp || provider.tenant === caller.tenant) && { base_url: provider.base_url }),
        state: fault !== undefined ? 'unreachable' : resting.some((one) => one.name === name) ? 'resting' : 'ready',
        ...(fault !== undefined && { fault }),
        resting: resting.map((one) => ({ name: one.name, reason: one.kind, remaining_ms: Math.ceil(one.remainingMs) })),
        models: models.map(toDto),
      })),
      local_servers: servers.map(toOffer),
      known_providers: known.map(toOffer),
    };
  }

  /** Asks a model one question. Changes nothing. A key of the settings is sent to the address of the settings only. */
  @Post('test')
  @HttpCode(200)
  @RequireScope('config:dangerous')
  @UsePipes(validated())
  async testModel(@Body() body: TryModelDto, @Viewer() caller: Principal): Promise<ModelTrialDto> {
    if (!isInScope(caller.tenant, DEFAULT_TENANT))
      throw new GatewayError('FORBIDDEN', { reason: 'models are for operators of the default tenant to try' });
    const { provider, model, base_url: baseUrl, api_key: apiKey } = body;
    const trial = await this.models.tryModel({ provider, model, baseUrl, apiKey }, caller.tenant);
    if (trial.ok) return { ok: true, first_token_ms: trial.firstTokenMs, text: trial.text };
    const { reason, detail, status } = trial;
    return { ok: false, reason, detail, ...(status !== undefined && { status }) };
  }
}

function toOffer({ name, provider, models }: OfferedProvider): OfferedProviderDto {
  return { name, api: provider.api, base_url: provider.base_url, models: models.map(toDto) };
}

function toDto({ id, contextWindow }: ListedModel): ListedModelDto {
  return { id, ...(contextWindow !== undefined && { context_window: contextWindow }) };
}
