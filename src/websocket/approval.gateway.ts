import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ApprovalPayload, InboundEnvelope } from '../protocol/index.js';
import { ApprovalsService } from '../core/approvals/approvals.service.js';
import type { Connection } from '../core/connections/connection.js';

/** Handles decisions of people on tool calls. The effect of a decision shows as a `tool_status`. */
@WebSocketGateway(18789)
export class ApprovalGateway {
  constructor(private readonly approvals: ApprovalsService) {}

  @SubscribeMessage('approval')
  async decide({ principal }: Connection, { payload }: InboundEnvelope): Promise<void> {
    const { approval_id: approvalId, decision, arguments_sha256: argumentsSha256 } = payload as ApprovalPayload;
    await this.approvals.decide(principal, approvalId, decision, argumentsSha256);
  }
}
