import type { IncomingMessage, ServerResponse } from 'node:http';
import { Body, Controller, Get, Patch, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { SettingsError, type SettingFault } from '../core/config/section.js';
import { checkAllTenants } from '../core/identity/all-tenants.js';
import type { Principal } from '../core/identity/principal.js';
import { ReplicaIdentity } from '../core/replicas/replica-identity.js';
import { LogRing, type LogFilter, type LogLine } from '../core/telemetry/log-ring.js';
import { SUBSYSTEMS } from '../core/telemetry/logs.js';
import { EventStreamsService, validated } from '../http/index.js';
import { GatewayError } from '../protocol/index.js';
import { LogFollower } from './log-follower.js';
import { ChangeLogLevelsDto, LogLevelsDto, LogLinesDto, LogsQuery, type LogLineDto } from './logs.dto.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';

/** The newest lines of the logs, live if asked for, and the levels of the subsystems. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/logs')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class LogsController {
  constructor(
    private readonly ring: LogRing,
    private readonly config: ConfigStoreService,
    private readonly replica: ReplicaIdentity,
    private readonly streams: EventStreamsService,
  ) {}

  /**
   * Newest first, of the last 10,000 lines; with `follow` as Server-Sent Events. An event has one line. `event: reset` says
   * that lines are missing before the next one: the gateway was restarted, or the reader was too slow. `event: heartbeat` each
   * 15 s.
   */
  @Get()
  @RequireScope('admin:read')
  @ApiOkResponse({ type: LogLinesDto })
  list(
    @Query(validated()) query: LogsQuery,
    @Caller() caller: Principal,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): void {
    checkAllTenants(caller, this.config);
    const { limit = DEFAULT_LIMIT, cursor, follow = false, ...filter } = query;
    if (follow) {
      const from = request.headers['last-event-id'];
      const lastId = typeof from === 'string' ? from : undefined;
      const source = new LogFollower(this.ring, filter, lastId, (line) => JSON.stringify(this.toDto(line)));
      return this.streams.send(response, source);
    }
    const page = this.readPage(filter, limit, cursor);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(JSON.stringify(page));
  }

  private readPage(filter: LogFilter, limit: number, cursor: string | undefined): LogLinesDto {
    const { subsystem, level, q } = filter;
    const cursors = new Cursors<number>('logs', this.ring.epoch, subsystem, level, q);
    const lines = this.ring.list(filter, limit + 1, cursors.decode(cursor));
    const last = lines.length > limit ? lines[limit - 1] : undefined;
    const items = lines.slice(0, limit).map((line) => this.toDto(line));
    return { items, ...(last && { next: cursors.encode(last.number) }) };
  }

  /** Changes levels at once and permanently: they are the settings `log.SUBSYSTEM`. */
  @Patch('levels')
  @RequireScope('admin:write')
  async changeLevels(
    @Body(validated()) { levels }: ChangeLogLevelsDto,
    @Caller() caller: Principal,
  ): Promise<LogLevelsDto> {
    checkAllTenants(caller, this.config);
    const unknown = Object.keys(levels).filter((name) => !(SUBSYSTEMS as readonly string[]).includes(name));
    if (unknown.length > 0)
      throw invalid(unknown.map((name) => ({ key: `log.${name}`, message: 'is not a subsystem' })));
    const changes = Object.fromEntries(Object.entries(levels).map(([name, level]) => [`log.${name}`, level]));
    for (;;) {
      const outcome = await this.config.change(this.config.version, changes, caller.principal);
      if (outcome.kind === 'invalid') throw invalid(outcome.faults);
      if (outcome.kind === 'changed') break;
    }
    const common = this.config.get('log.level');
    return { levels: Object.fromEntries(SUBSYSTEMS.map((name) => [name, this.config.get(`log.${name}`) ?? common])) };
  }

  private toDto({ number, text }: LogLine): LogLineDto {
    const { level, time, subsystem, msg, ...fields } = JSON.parse(text) as Record<string, unknown>;
    return {
      id: `${this.ring.epoch}-${number}`,
      replica: this.replica.id,
      at: Date.parse(String(time)),
      level: level as LogLineDto['level'],
      subsystem: String(subsystem),
      message: String(msg),
      fields,
    };
  }
}

function invalid(faults: readonly SettingFault[]): GatewayError<'INVALID_PAYLOAD'> {
  return new GatewayError('INVALID_PAYLOAD', {
    faults: faults
      .slice(0, SettingsError.MAX_LISTED)
      .map(({ key, message }) => ({ pointer: `/levels/${key.replace('log.', '')}`, message })),
  });
}
