import { Body, Controller, Get, Param, Patch, UseGuards, UsePipes, ValidationPipe } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { SessionRouterService } from '../core/sessions/session-router.service.js';
import { SessionChangesService } from '../core/sessions/session-changes.service.js';
import { SessionStore, type Session } from '../core/store/index.js';
import { ChangeSessionDto, SessionDto } from './sessions.dto.js';

/** Reads and changes one session. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/sessions')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class SessionsController {
  constructor(
    private readonly router: SessionRouterService,
    private readonly changes: SessionChangesService,
    private readonly sessions: SessionStore,
  ) {}

  /** Returns a session that the caller may read. */
  @Get(':id')
  @RequireScope('admin:read')
  async readSession(@Param('id') id: string, @Caller() caller: Principal): Promise<SessionDto> {
    return this.toDto(await this.router.getReadable(caller, id));
  }

  /** Takes effect with the next turn, and immediately for tool calls of a running one. */
  @Patch(':id')
  @RequireScope('admin:write')
  @UsePipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }))
  async changeSession(
    @Param('id') id: string,
    @Body() change: ChangeSessionDto,
    @Caller() caller: Principal,
  ): Promise<SessionDto> {
    const { mode, explicit_activation: explicitActivation, tool_permissions: toolPermissions } = change;
    const session = await this.changes.change(caller, id, {
      ...(mode === undefined ? {} : { mode }),
      ...(explicitActivation === undefined ? {} : { explicitActivation }),
      ...(toolPermissions === undefined ? {} : { toolPermissions }),
    });
    return this.toDto(session);
  }

  private async toDto(session: Session): Promise<SessionDto> {
    return {
      id: session.id,
      mode: session.mode,
      channel: session.channel,
      agent: session.agent,
      key: [...session.keyParts],
      participants: [...(await this.sessions.listParticipants(session.id))],
      created_at: session.createdAt,
      last_active: session.lastActive,
      tool_permissions: [...session.toolPermissions],
      explicit_activation: session.explicitActivation,
      ...(session.model !== undefined && { model: session.model }),
      head_seq: session.headSeq,
    };
  }
}
