import { Controller, Get, Query, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { QuotasService } from '../core/limits/quotas.service.js';
import { UsageStore, type SenderKey, type UsageQuery, type UsageSums } from '../core/store/index.js';
import { validated } from '../http/index.js';
import { GatewayError } from '../protocol/index.js';
import { Cursors, DEFAULT_LIMIT, pickPage } from './pages.js';
import { UsageQueryDto, UsagesDto, type UsageDto } from './tenants.dto.js';

/** Shows what models have used, and what it costs by the prices of the settings. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/usage')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class UsageController {
  constructor(
    private readonly store: UsageStore,
    private readonly quotas: QuotasService,
  ) {}

  /** Sorted by tenant and name. It is kept for 400 days. */
  @Get()
  @RequireScope('admin:read')
  async list(@Query() query: UsageQueryDto, @Viewer() { tenant }: Principal): Promise<UsagesDto> {
    const today = this.quotas.readDay();
    const { by = 'tenant', from = today.from, to = today.to, limit = DEFAULT_LIMIT, cursor } = query;
    if (from >= to)
      throw new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer: '/to', message: 'to must be after from' }] });
    const asked = { tenant, from, to };
    const page =
      by === 'sender' ? await this.listSenders(asked, limit, cursor) : await this.sum(asked, by, limit, cursor);
    return { ...page, from, to };
  }

  private async sum(
    asked: UsageQuery,
    by: 'tenant' | 'agent' | 'model',
    limit: number,
    cursor: string | undefined,
  ): Promise<Pick<UsagesDto, 'items' | 'next'>> {
    const cursors = new Cursors<string>('usage', by, asked);
    const rows = await this.store.sumUsage(asked, by);
    const keyOf = ({ tenant, name }: { tenant: string; name: string }) => JSON.stringify([tenant, name]);
    const { items, next } = pickPage(rows, keyOf, { limit, cursor: cursors.decode(cursor) });
    return {
      items: items.map(({ tenant, name, ...sums }) => ({
        tenant,
        ...(by !== 'tenant' && { [by]: name }),
        ...toSums(sums),
      })),
      ...(next !== undefined && { next: cursors.encode(next) }),
    };
  }

  private async listSenders(
    asked: UsageQuery,
    limit: number,
    cursor: string | undefined,
  ): Promise<Pick<UsagesDto, 'items' | 'next'>> {
    const cursors = new Cursors<SenderKey>('usage', 'sender', asked);
    const page = await this.store.listSenderUsage({ ...asked, after: cursors.decode(cursor), limit });
    return {
      items: page.items.map(({ tenant, channel, sender, ...sums }) => ({ tenant, channel, sender, ...toSums(sums) })),
      ...(page.next && { next: cursors.encode(page.next) }),
    };
  }
}

function toSums({ answers, inputTokens, cachedTokens, outputTokens, cost }: UsageSums): Omit<UsageDto, 'tenant'> {
  return {
    answers,
    input_tokens: inputTokens,
    cached_input_tokens: cachedTokens,
    output_tokens: outputTokens,
    cost,
  };
}
