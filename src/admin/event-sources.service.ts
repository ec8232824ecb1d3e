import { Injectable } from '@nestjs/common';
import { ApprovalsService } from '../core/approvals/approvals.service.js';
import { BoundedMap } from '../core/cache/bounded-map.js';
import { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import { DeliveryService } from '../core/delivery/delivery.service.js';
import { StartStep } from '../core/lifecycle/steps.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import { isFiring } from '../core/sessions/firing.js';
import { SessionStore, type AcceptedMessage, type DurableFrame, type NewMessage } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { TurnRunnerService } from '../core/turns/turn-runner.service.js';
import type { StreamEndPayload, ToolStatusPayload } from '../protocol/index.js';
import { toApprovalRow, toMessageFields } from './approvals.controller.js';
import { toConnectionDto } from './connections.controller.js';
import { LiveEventsService } from './live-events.service.js';
import { toTurnDto } from './turns.controller.js';

/** Number of sessions whose tenant is known. */
const MAX_KNOWN = 10_000;

/** Turns what the parts of the gateway notify of into events. Costs nothing while there are no readers. */
@Injectable()
export class EventSourcesService {
  private readonly log: Log;
  private readonly tenants = new BoundedMap<string, string>(MAX_KNOWN);

  // oxlint-disable-next-line max-params -- one for each kind of event
  constructor(
    private readonly events: LiveEventsService,
    private readonly connections: ConnectionManagerService,
    private readonly queue: MessageQueueService,
    private readonly turns: TurnRunnerService,
    private readonly delivery: DeliveryService,
    private readonly approvals: ApprovalsService,
    private readonly sessions: SessionStore,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  @StartStep({ name: 'watch for live events', phase: 'follow' })
  start(): void {
    const { events } = this;
    this.connections.onRegister((connection) =>
      events.emit(connection.principal.tenant, 'connection', () => ({ ...toConnectionDto(connection), state: 'open' })),
    );
    this.connections.onRemove((connection) =>
      events.emit(connection.principal.tenant, 'connection', () => ({
        ...toConnectionDto(connection),
        state: 'closed',
      })),
    );
    this.queue.onAccepted((message, accepted) => this.takeAccepted(message, accepted));
    this.turns.onStart((run) =>
      events.emit(run.turn.session.tenant, 'turn', () => ({ ...toTurnDto(run), state: 'running' })),
    );
    this.turns.onEnd(({ claim: { message, session, attempt }, reason }) =>
      events.emit(session.tenant, 'turn', () => {
        const { messageRef: message_ref, sessionId: session_id } = message;
        return { message_ref, session_id, channel: session.channel, agent: session.agent, attempt, state: reason };
      }),
    );
    this.delivery.onPublish((frames) => this.takeFrames(frames));
    this.approvals.onOpened((approval) =>
      events.emit(approval.tenant, 'approval', () => ({ ...toApprovalRow(approval), state: 'pending' })),
    );
    this.approvals.onDecided((approval, { decision, decidedBy }) =>
      events.emit(approval.tenant, 'approval', () => ({
        approval_id: approval.approvalId,
        session_id: approval.sessionId,
        ...toMessageFields(approval),
        tool: approval.tool,
        state: decision,
        ...(decidedBy !== undefined && { decided_by: decidedBy }),
      })),
    );
  }

  private takeAccepted(message: NewMessage, accepted: AcceptedMessage): void {
    if (!this.events.isHeard) return;
    const { client, session, priority, payload } = message;
    this.tenants.set(session.id, client.tenant);
    const row = {
      message_ref: accepted.messageRef,
      session_id: session.id,
      channel: session.channel,
      sender: payload.sender,
      priority,
      position: accepted.position,
      state: accepted.status,
    };
    this.events.emit(client.tenant, 'message', () => row);
    if (isFiring(message)) this.events.emit(client.tenant, 'cron', () => ({ ...row, job: client.principal }));
  }

  private takeFrames(frames: readonly DurableFrame[]): void {
    if (!this.events.isHeard) return;
    for (const frame of frames) {
      if (frame.type !== 'tool_status' && frame.type !== 'stream_end') continue;
      const tenant = this.tenants.get(frame.sessionId);
      if (tenant !== undefined) this.takeFrame(tenant, frame);
      else void this.findTenant(frame);
    }
  }

  private async findTenant(frame: DurableFrame): Promise<void> {
    try {
      const session = await this.sessions.findSession(frame.sessionId);
      if (!session) return;
      this.tenants.set(session.id, session.tenant);
      this.takeFrame(session.tenant, frame);
    } catch (error) {
      this.log.debug({ error }, 'the session of an event could not be read');
    }
  }

  private takeFrame(tenant: string, { type, sessionId, payload }: DurableFrame): void {
    if (type === 'stream_end') {
      this.events.emit(tenant, 'message', () => {
        const { message_ref, reason, error } = JSON.parse(payload) as StreamEndPayload;
        return { message_ref, session_id: sessionId, state: reason, ...(error && { code: error.code }) };
      });
      return;
    }
    const status = JSON.parse(payload) as ToolStatusPayload;
    const { message_ref, call_id, tool } = status;
    this.events.emit(tenant, 'tool', () => ({
      message_ref,
      session_id: sessionId,
      call_id,
      tool,
      state: status.status,
    }));
  }
}
