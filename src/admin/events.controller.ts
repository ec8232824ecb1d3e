import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Headers, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { AuthService, HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { StopStep } from '../core/lifecycle/steps.js';
import { Clock } from '../core/time/clock.js';
import { EventStream } from './event-stream.js';
import { LiveEventsService } from './live-events.service.js';

/** Interval of heartbeats, and of looks at the credential of a stream, in milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 15_000;

const EXAMPLE = 'id: 6fA3kQ0pXw1z.1c\nevent: turn\ndata: {"message_ref":"m_4f61_9","state":"running"}\n\n';

/** What happens in the gateway, live. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/events')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class EventsController {
  private readonly streams = new Set<EventStream>();

  constructor(
    private readonly events: LiveEventsService,
    private readonly auth: AuthService,
    private readonly clock: Clock,
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
  stream(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Headers('last-event-id') lastId: string | undefined,
    @Viewer() caller: Principal,
  ): void {
    const stream = new EventStream(response);
    const { missed, unsubscribe } = this.events.subscribe(caller.tenant, lastId, (event) => stream.send(event));
    if (missed) for (const event of missed) stream.send(event);
    else stream.reset();
    this.streams.add(stream);
    const stopBeating = this.clock.setRepeating(HEARTBEAT_INTERVAL_MS, () => {
      stream.beat();
      void this.checkCredential(request, stream);
    });
    response.once('close', () => {
      unsubscribe();
      stopBeating();
      this.streams.delete(stream);
    });
  }

  @StopStep({ name: 'end live streams', phase: 'refuse' })
  endAll(): void {
    for (const stream of this.streams) stream.end();
  }

  /** Ends a stream whose credential counts no more. */
  private async checkCredential(request: IncomingMessage, stream: EventStream): Promise<void> {
    const outcome = await this.auth.find(request).catch(() => 'unavailable' as const);
    if (outcome === 'unavailable') return;
    if (!outcome || !outcome.scopes.has('admin:read')) stream.end();
  }
}
