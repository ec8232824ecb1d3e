import { Controller, Delete, Get, HttpCode, Param, Query, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import { isWithinReach } from '../core/sessions/access.js';
import { TurnRunnerService, type RunningTurn } from '../core/turns/turn-runner.service.js';
import { validated } from '../http/index.js';
import { GatewayError } from '../protocol/index.js';
import type { FieldsOf } from './fields.js';
import { Cursors, pickPage } from './pages.js';
import { CursorQuery, TurnsDto, type TurnDto } from './queue.dto.js';

/** Lists the turns that run on this replica, and ends one. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/turns')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class TurnsController {
  constructor(
    private readonly turns: TurnRunnerService,
    private readonly queue: MessageQueueService,
  ) {}

  /** By `message_ref`. A reply that needs neither a model nor a tool is not listed: it ends at once. */
  @Get()
  @RequireScope('admin:read')
  list(@Query() { limit, cursor }: CursorQuery, @Viewer() caller: Principal): TurnsDto {
    const cursors = new Cursors<string>('turns', caller.tenant);
    const own = [...this.turns.listRunning()].filter(({ turn }) => isWithinReach(caller, turn.session));
    const { items, next } = pickPage(own, ({ turn }) => turn.message.messageRef, {
      limit,
      cursor: cursors.decode(cursor),
    });
    return { items: items.map(toTurnDto), ...(next !== undefined && { next: cursors.encode(next) }) };
  }

  /** Cancels a running message. Its turn ends soon after. */
  @Delete(':ref')
  @HttpCode(204)
  @RequireScope('admin:write')
  async cancel(@Param('ref') messageRef: string, @Viewer() caller: Principal): Promise<void> {
    const run = [...this.turns.listRunning()].find(({ turn }) => turn.message.messageRef === messageRef);
    if (!run || !isWithinReach(caller, run.turn.session))
      throw new GatewayError('NOT_FOUND', { what: `running turn ${messageRef}` });
    await this.queue.cancel({ by: 'ref', tenant: run.turn.session.tenant, messageRef }, caller.principal);
  }
}

/** Describes a running turn. */
export function toTurnDto({ turn, since }: RunningTurn): FieldsOf<TurnDto> {
  const { message, session, claim, journal } = turn;
  const [callId] = journal.listCalls(({ outcome }) => outcome === undefined);
  const call = callId === undefined ? undefined : journal.findCall(callId);
  return {
    message_ref: message.messageRef,
    session_id: message.sessionId,
    tenant: session.tenant,
    channel: session.channel,
    sender: message.payload.sender,
    agent: session.agent,
    attempt: claim.attempt,
    since,
    step: call === undefined ? 'model' : call.mayHaveStarted ? 'tool' : 'approval',
    ...(call && { tool: call.tool }),
  };
}
