import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ApprovalsService } from '../core/approvals/approvals.service.js';
import type { Principal } from '../core/identity/principal.js';

/** A tool call that waits for a person. */
export class PendingApprovalDto {
  approval_id!: string;
  session_id!: string;
  message_ref!: string;
  tool!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  arguments!: unknown;

  /** Send it with the decision, which applies to exactly these arguments. */
  arguments_sha256!: string;
  /** Unix milliseconds. */
  expires_at!: number;
}

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
      arguments: JSON.parse(approval.arguments) as unknown,
      arguments_sha256: approval.argumentsSha256,
      expires_at: approval.expiresAt,
    }));
  }
}
