import type { ServerResponse } from 'node:http';
import { Controller, Get, Headers, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { EventStreamsService } from '../http/index.js';
import { ChangeWatchService } from './change-watch.service.js';
import { LiveEventsService } from './live-events.service.js';

const EXAMPLE = 'id: 6fA3kQ0pXw1z.1c\nevent: turn\ndata: {"message_ref":"m_4f61_9","state":"running"}\n\n';

/** The events of the gateway, live. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/events')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class EventsController {
  constructor(
    private readonly events: LiveEventsService,
    private readonly changes: ChangeWatchService,
    private readonly streams: EventStreamsService,
  ) {}

  /**
   * Streams events of the caller's tenant on this replica, each with the fields of its list's row. With `Last-Event-ID` it continues
   * after that event; if events are missing, `event: reset` comes first. `event: heartbeat` each 15 s.
   */
  @Get()
  @RequireScope('admin:read')
  @ApiProduces('text/event-stream')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The ID of the last event that was seen.' })
  @ApiOkResponse({ description: 'Server-Sent Events.', schema: { type: 'string', example: EXAMPLE } })
  async stream(
    @Res() response: ServerResponse,
    @Headers('last-event-id') lastId: string | undefined,
    @Viewer() caller: Principal,
  ): Promise<void> {
    await this.changes.prepare(caller.tenant);
    this.streams.send(response, this.events.follow(caller.tenant, lastId));
  }
}
