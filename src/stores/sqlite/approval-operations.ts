import type { DatabaseSync } from 'node:sqlite';
import { noteOfDecision } from '../../core/audit/audit-notes.js';
import type { Approval, ApprovalDecision, MessageRuling } from '../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import { prepare } from './rows.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

const MAX_PENDING = 1_000;

const COLUMNS = `approval_id AS approvalId, tenant, session_id AS sessionId, message_ref AS messageRef, call_id AS callId,
  tool, arguments, shown, arguments_sha256 AS argumentsSha256, expires_at AS expiresAt, decision, decided_by AS decidedBy`;

type Columns = Omit<Approval, 'shown' | 'decision' | 'decidedBy'> & {
  readonly shown: string | null;
  readonly decision: ApprovalDecision | null;
  readonly decidedBy: string | null;
};

/** The operations of `ApprovalStore`. */
export class ApprovalOperations {
  private readonly insert;
  private readonly selectByCall;
  private readonly selectById;
  private readonly selectPending;
  private readonly setDecision;
  private readonly deleteExpired;

  constructor(
    database: DatabaseSync,
    private readonly audit: AuditTrail,
  ) {
    this.insert = prepare(
      database,
      `INSERT INTO approvals (approval_id, tenant, session_id, message_ref, call_id, tool, arguments, shown,
         arguments_sha256, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call_id) DO NOTHING`,
    );
    this.selectByCall = prepare<Columns>(database, `SELECT ${COLUMNS} FROM approvals WHERE call_id = ?`);
    this.selectById = prepare<Columns>(database, `SELECT ${COLUMNS} FROM approvals WHERE approval_id = ?`);
    this.selectPending = prepare<Columns>(
      database,
      `SELECT ${COLUMNS} FROM approvals WHERE tenant = ? AND decision IS NULL ORDER BY approval LIMIT ${MAX_PENDING}`,
    );
    this.setDecision = prepare(
      database,
      'UPDATE approvals SET decision = ?, decided_by = ? WHERE approval_id = ? AND decision IS NULL',
    );
    this.deleteExpired = prepare(
      database,
      'DELETE FROM approvals WHERE approval IN (SELECT approval FROM approvals WHERE expires_at < ? LIMIT ?)',
    );
  }

  /** Deletes the approvals that expired before a time, within the budget. Returns true if there may be more. */
  sweep(before: number | undefined, budget: SweepBudget): boolean {
    if (before === undefined) return false;
    return !budget.repeat(() => Number(this.deleteExpired.run(before, MAX_STEP_ROWS).changes));
  }

  open(approval: Approval): Approval {
    const { approvalId, tenant, sessionId, messageRef, callId, tool, shown = null } = approval;
    this.insert.run(
      approvalId,
      tenant,
      sessionId,
      messageRef,
      callId,
      tool,
      approval.arguments,
      shown,
      approval.argumentsSha256,
      approval.expiresAt,
    );
    const row = this.selectByCall.get(callId);
    return row ? toApproval(row) : approval;
  }

  find(tenant: string, approvalId: string): Approval | undefined {
    const row = this.selectById.get(approvalId);
    return row?.tenant === tenant ? toApproval(row) : undefined;
  }

  listPending(tenant: string): Approval[] {
    return this.selectPending.all(tenant).map(toApproval);
  }

  /** @param decidedBy the name of the decider, where it is not that of the audit trail, and the person who decided */
  decide(
    now: number,
    approvalId: string,
    decision: ApprovalDecision,
    actor: string,
    { decidedBy, person }: Partial<Pick<MessageRuling, 'decidedBy' | 'person'>> = {},
  ): Approval | undefined {
    const hasDecided = this.setDecision.run(decision, decidedBy ?? actor, approvalId).changes > 0;
    const row = this.selectById.get(approvalId);
    if (!row) return undefined;
    const approval = toApproval(row);
    if (hasDecided) this.audit.add(now, noteOfDecision(approval, decision, actor, person));
    return approval;
  }

  /** Expires the approval of a call that will not start, if it has one that is not decided. */
  expire(now: number, callId: string): void {
    const row = this.selectByCall.get(callId);
    if (row) this.decide(now, row.approvalId, 'expired', 'gateway');
  }
}

function toApproval({ shown, decision, decidedBy, ...approval }: Columns): Approval {
  return {
    ...approval,
    ...(shown !== null && { shown }),
    ...(decision && { decision }),
    ...(decidedBy !== null && { decidedBy }),
  };
}
