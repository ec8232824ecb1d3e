import { Controller, Get, Query, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { AdminStore } from '../core/store/index.js';
import { Clock } from '../core/time/clock.js';
import { validated } from '../http/index.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';
import { QueueDto, QueueQuery } from './queue.dto.js';

/** Lists the messages that wait to be answered. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/queue')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class QueueController {
  constructor(
    private readonly store: AdminStore,
    private readonly clock: Clock,
  ) {}

  /** Oldest first. */
  @Get()
  @RequireScope('admin:read')
  @UsePipes(validated())
  async list(
    @Query() { session_id: sessionId, limit = DEFAULT_LIMIT, cursor }: QueueQuery,
    @Viewer() { tenant, channels }: Principal,
  ): Promise<QueueDto> {
    const cursors = new Cursors<number>('queue', tenant, channels, sessionId);
    const after = cursors.decode(cursor);
    const page = await this.store.listWaitingMessages({ tenant, channels, sessionId, after, limit });
    const now = this.clock.now();
    return {
      waiting: page.waiting,
      running: page.running,
      oldest_age_ms: page.oldestAt === undefined ? 0 : Math.max(0, now - page.oldestAt),
      items: page.items.map((item) => ({
        session_id: item.sessionId,
        tenant: item.tenant,
        message_ref: item.messageRef,
        channel: item.channel,
        sender: item.sender,
        priority: item.priority,
        position: item.position,
        age_ms: Math.max(0, now - item.receivedAt),
        ...(item.runningRef !== undefined && { running_ref: item.runningRef }),
      })),
      ...(page.next !== undefined && { next: cursors.encode(page.next) }),
    };
  }
}
