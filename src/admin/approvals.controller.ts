import { Body, Controller, Get, HttpCode, Param, Post, Query, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import { ApprovalsService } from '../core/approvals/approvals.service.js';
import type { Principal } from '../core/identity/principal.js';
import { SessionRouterService } from '../core/sessions/session-router.service.js';
import { AdminStore, findMessageRef, QueueStore, type Approval } from '../core/store/index.js';
import { validated } from '../http/index.js';
import type { MessageInPayload } from '../protocol/index.js';
import { ApprovalsDto, ApprovalsQuery, DecideApprovalDto, type ApprovalDto } from './approvals.dto.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';

const DECISIONS = { pending: 'pending', allowed: 'allow', denied: 'deny', expired: 'expired' } as const;

/** Lists tool calls that a person decides on, and decides. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/approvals')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class ApprovalsController {
  constructor(
    private readonly store: AdminStore,
    private readonly messages: QueueStore,
    private readonly approvals: ApprovalsService,
    private readonly router: SessionRouterService,
  ) {}

  /** Those that wait, oldest first; others newest first. */
  @Get()
  @RequireScope('admin:read')
  async list(
    @Query() { state = 'pending', limit = DEFAULT_LIMIT, cursor }: ApprovalsQuery,
    @Viewer() caller: Principal,
  ): Promise<ApprovalsDto> {
    const { tenant } = caller;
    const cursors = new Cursors<number>('approvals', tenant, state);
    const after = cursors.decode(cursor);
    const page = await this.store.listApprovals({ tenant, state: DECISIONS[state], after, limit });
    const readable = await Promise.all(page.items.map(({ sessionId }) => this.router.isReadable(caller, sessionId)));
    return {
      items: await Promise.all(page.items.filter((_, index) => readable[index]).map((each) => this.describe(each))),
      ...(page.next !== undefined && { next: cursors.encode(page.next) }),
    };
  }

  /** Decides on a call, for exactly the arguments that were shown. */
  @Post(':id')
  @HttpCode(204)
  @RequireScope('admin:write')
  async decide(@Param('id') id: string, @Body() body: DecideApprovalDto, @Viewer() caller: Principal): Promise<void> {
    await this.approvals.decide(caller, id, body.decision, body.arguments_sha256);
  }

  private async describe(approval: Approval): Promise<ApprovalDto> {
    const { tenant } = approval;
    const messageRef = findMessageRef(approval);
    const message = messageRef && (await this.messages.findMessage({ by: 'ref', tenant, messageRef }));
    return toDto(approval, message ? message.payload : undefined);
  }
}

function toDto(approval: Approval, message: MessageInPayload | undefined): ApprovalDto {
  const { tenant, decision, decidedBy } = approval;
  return {
    ...toApprovalRow(approval),
    tenant,
    ...(message && { channel: message.channel, sender: message.sender }),
    ...(decision && { decision }),
    ...(decidedBy !== undefined && { decided_by: decidedBy }),
  };
}

/** Returns what an approval says of its call. */
export function toApprovalRow(approval: Approval): Omit<ApprovalDto, 'tenant'> {
  const { approvalId, sessionId, tool, shown, argumentsSha256, expiresAt } = approval;
  return {
    approval_id: approvalId,
    session_id: sessionId,
    ...toMessageFields(approval),
    tool,
    ...(shown !== undefined && { detail: shown }),
    arguments: JSON.parse(approval.arguments) as unknown,
    arguments_sha256: argumentsSha256,
    expires_at: expiresAt,
  };
}

/** Returns the reference of the message that a call is for, if there is one. */
export function toMessageFields(approval: Approval): Pick<ApprovalDto, 'message_ref'> {
  const messageRef = findMessageRef(approval);
  return messageRef === undefined ? {} : { message_ref: messageRef };
}
