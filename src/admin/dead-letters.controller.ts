import {
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  ParseIntPipe,
  Post,
  Query,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import { isInScope } from '../core/store/index.js';
import { GatewayError } from '../protocol/index.js';
import { DeadLettersDto, DeadLettersQuery, toDeadLetterDto } from './dead-letters.dto.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';
import { validated } from '../http/index.js';

/** Lists the replies that did not reach their chat, sends them again and deletes them. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/dead-letters')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class DeadLettersController {
  constructor(private readonly channels: ChannelManagerService) {}

  /** Newest first. */
  @Get()
  @RequireScope('admin:read')
  @UsePipes(validated())
  async list(@Query() query: DeadLettersQuery, @Viewer() { tenant }: Principal): Promise<DeadLettersDto> {
    if (!isInScope(tenant, DEFAULT_TENANT)) return { items: [] };
    const { channel, kind, limit = DEFAULT_LIMIT, cursor } = query;
    const cursors = new Cursors<number>('dead letters', tenant, channel, kind);
    const letters = await this.channels.listDeadLetters({ channel, before: cursors.decode(cursor), limit: limit + 1 });
    const items = letters.slice(0, limit).map(toDeadLetterDto);
    const last = letters.length > limit ? items.at(-1) : undefined;
    return { items, ...(last && { next: cursors.encode(last.id) }) };
  }

  /** Sends one again, as a message of its own. */
  @Post(':id/retry')
  @HttpCode(204)
  @RequireScope('admin:write')
  async retry(@Param('id', ParseIntPipe) id: number, @Viewer() caller: Principal): Promise<void> {
    checkTenant(caller, id);
    await this.channels.retryDeadLetter(id, caller.principal);
  }

  /** Deletes one. */
  @Delete(':id')
  @HttpCode(204)
  @RequireScope('admin:write')
  async discard(@Param('id', ParseIntPipe) id: number, @Viewer() caller: Principal): Promise<void> {
    checkTenant(caller, id);
    await this.channels.discardDeadLetter(id, caller.principal);
  }
}

function checkTenant({ tenant }: Principal, id: number): void {
  if (!isInScope(tenant, DEFAULT_TENANT)) throw new GatewayError('NOT_FOUND', { what: `dead letter ${id}` });
}
