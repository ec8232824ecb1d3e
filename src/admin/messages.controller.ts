import { Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import type { AcceptedMessage, MessageLife } from '../core/store/index.js';
import { TurnRunnerService } from '../core/turns/turn-runner.service.js';
import { countAttempts, listSteps } from './message-life.js';
import { MessageRetriesService } from './message-retries.service.js';
import { MessageDto } from './messages.dto.js';
import { AcceptedMessageDto } from './queue.dto.js';

/** Shows the life of a message, cancels it and sends it again. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/messages')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class MessagesController {
  constructor(
    private readonly retries: MessageRetriesService,
    private readonly queue: MessageQueueService,
    private readonly turns: TurnRunnerService,
  ) {}

  /** Returns what became of a message: its wait, its runs with their steps, its end and its deliveries. */
  @Get(':ref')
  @RequireScope('admin:read')
  async read(@Param('ref') messageRef: string, @Viewer() caller: Principal): Promise<MessageDto> {
    const life = await this.retries.getLife(caller, messageRef);
    const run = [...this.turns.listRunning()].find(({ turn }) => turn.message.messageRef === messageRef);
    return toDto(life, run?.since);
  }

  /** Cancels a message that waits or runs. One that has ended stays as it is. */
  @Post(':ref/cancel')
  @HttpCode(204)
  @RequireScope('admin:write')
  async cancel(@Param('ref') messageRef: string, @Viewer() caller: Principal): Promise<void> {
    const { tenant } = await this.retries.getLife(caller, messageRef);
    await this.queue.cancel({ by: 'ref', tenant, messageRef }, caller.principal);
  }

  /** Sends a failed message again: a new message with its content, sender and place to answer, which supersedes it. */
  @Post(':ref/retry')
  @HttpCode(200)
  @RequireScope('admin:write')
  @ApiConflictResponse({ description: 'The message has not failed.' })
  async retry(@Param('ref') messageRef: string, @Viewer() caller: Principal): Promise<AcceptedMessageDto> {
    return toAcceptedDto(await this.retries.retry(caller, messageRef));
  }
}

/** Describes an accepted message as its acknowledgement does. */
export function toAcceptedDto({
  kind,
  messageRef,
  sessionId,
  status,
  position,
  runningRef,
}: AcceptedMessage): AcceptedMessageDto {
  return {
    message_ref: messageRef,
    session_id: sessionId,
    status: kind === 'duplicate' ? 'duplicate' : status,
    position,
    ...(runningRef !== undefined && { running_ref: runningRef }),
  };
}

function toDto(life: MessageLife, runningSince: number | undefined): MessageDto {
  const { message, status, tenant, channel, agent, parts } = life;
  const { messageRef, messageId, client, sessionId, payload, priority, receivedAt, supersededBy } = message;
  return {
    message_ref: messageRef,
    message_id: messageId,
    session_id: sessionId,
    tenant,
    channel,
    agent,
    sender: payload.sender,
    principal: client.principal,
    client_id: client.clientId,
    status,
    priority,
    received_at: receivedAt,
    attempts: countAttempts(life),
    content: payload.content,
    steps: listSteps(life, runningSince).map(({ kind, startedAt, endedAt, tool, decidedBy, usage }) => ({
      kind,
      started_at: startedAt,
      ...(endedAt !== undefined && { ended_at: endedAt }),
      ...(tool !== undefined && { tool }),
      ...(decidedBy !== undefined && { decided_by: decidedBy }),
      ...(usage && { usage }),
    })),
    ...describeEnd(life),
    deliveries: parts.map(({ number, state, createdAt, ref, reason }) => ({
      number,
      state,
      created_at: createdAt,
      ...(ref !== undefined && { ref }),
      ...(reason !== undefined && { reason }),
    })),
    ...(supersededBy !== undefined && { superseded_by: supersededBy }),
  };
}

function describeEnd({ message: { reply } }: MessageLife): Pick<MessageDto, 'end'> {
  if (!reply) return {};
  const { reason, endedAt, error, mergedInto, usage } = reply;
  return {
    end: {
      reason,
      at: endedAt,
      ...(error && { code: error.code, message: error.message }),
      ...(mergedInto !== undefined && { merged_into: mergedInto }),
      ...(usage && { usage }),
    },
  };
}
