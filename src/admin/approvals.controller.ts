import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ApprovalsService } from '../core/approvals/approvals.service.js';
import type { Principal } from '../core/identity/principal.js';
import { PendingApprovalDto } from './approvals.dto.js';

/** Lists tool calls that wait for a decision. An `approval` frame decides one. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/approvals')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@RequireScope('admin:read')
export class ApprovalsController {
  constructor(private readonly approvals: ApprovalsService) {}

  /** Oldest first. */
  @Get()
  async listPending(@Caller() caller: Principal): Promise<PendingApprovalDto[]> {
    const pending = await this.approvals.listPending(caller);
    return pending.map((approval) => ({
      approval_id: approval.approvalId,
      session_id: approval.sessionId,
      message_ref: approval.messageRef,
      tool: approval.tool,
      ...(approval.shown !== undefined && { detail: approval.shown }),
      arguments: JSON.parse(approval.arguments) as unknown,
      arguments_sha256: approval.argumentsSha256,
      expires_at: approval.expiresAt,
    }));
  }
}
