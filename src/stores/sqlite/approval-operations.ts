import type { DatabaseSync } from 'node:sqlite';
import type { Approval, ApprovalDecision } from '../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import type { Row } from './rows.js';

/** Tool calls that a person has to approve. */
export class ApprovalOperations {
  private readonly insert;
  private readonly selectByCall;
  private readonly selectById;
  private readonly selectPending;
  private readonly decide;

  constructor(
    database: DatabaseSync,
    private readonly audit: AuditTrail,
  ) {
    this.insert = database.prepare(
      `INSERT INTO approvals (approval_id, tenant, session_id, message_ref, call_id, tool, arguments, arguments_sha256, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call_id) DO NOTHING`,
    );
    this.selectByCall = database.prepare('SELECT * FROM approvals WHERE call_id = ?');
    this.selectById = database.prepare('SELECT * FROM approvals WHERE approval_id = ?');
    this.selectPending = database.prepare(
      'SELECT * FROM approvals WHERE tenant = ? AND decision IS NULL ORDER BY approval LIMIT 1000',
    );
    this.decide = database.prepare('UPDATE approvals SET decision = ? WHERE approval_id = ? AND decision IS NULL');
  }

  openApproval(_now: number, approval: Approval): Approval {
    const { approvalId, tenant, sessionId, messageRef, callId, tool, argumentsSha256, expiresAt } = approval;
    this.insert.run(
      approvalId,
      tenant,
      sessionId,
      messageRef,
      callId,
      tool,
      approval.arguments,
      argumentsSha256,
      expiresAt,
    );
    const row = this.selectByCall.get(callId);
    return row ? toApproval(row) : approval;
  }

  findApproval(_now: number, tenant: string, approvalId: string): Approval | undefined {
    const row = this.selectById.get(approvalId);
    return row?.['tenant'] === tenant ? toApproval(row) : undefined;
  }

  listPendingApprovals(_now: number, tenant: string): Approval[] {
    return this.selectPending.all(tenant).map(toApproval);
  }

  decideApproval(now: number, approvalId: string, decision: ApprovalDecision, actor: string): Approval | undefined {
    const hasDecided = this.decide.run(decision, approvalId).changes > 0;
    const row = this.selectById.get(approvalId);
    if (!row) return undefined;
    const approval = toApproval(row);
    if (hasDecided) {
      const { tool, argumentsSha256 } = approval;
      this.audit.add(now, actor, 'approval.decide', null, {
        approval_id: approvalId,
        tool,
        arguments_sha256: argumentsSha256,
        decision,
      });
    }
    return approval;
  }
}

function toApproval(row: Row): Approval {
  const decision = row['decision'] as ApprovalDecision | null;
  return {
    approvalId: row['approval_id'] as string,
    tenant: row['tenant'] as string,
    sessionId: row['session_id'] as string,
    messageRef: row['message_ref'] as string,
    callId: row['call_id'] as string,
    tool: row['tool'] as string,
    arguments: row['arguments'] as string,
    argumentsSha256: row['arguments_sha256'] as string,
    expiresAt: row['expires_at'] as number,
    ...(decision && { decision }),
  };
}
