import type { DatabaseSync } from 'node:sqlite';
import { noteOfDecision } from '../../../core/audit/audit-notes.js';
import {
  ALL_TENANTS,
  type Approval,
  type ApprovalDecision,
  type ApprovalPage,
  type ApprovalQuery,
  type DecidedApproval,
  type MessageRuling,
  isInScope,
} from '../../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import { prepare } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

const MAX_PENDING = 1_000;

/** Number of approvals that a page visits. */
const MAX_VISITED = 5_000;

const COLUMNS = `approval_id AS approvalId, tenant, session_id AS sessionId, message_ref AS messageRef, call_id AS callId,
  tool, arguments, shown, arguments_sha256 AS argumentsSha256, expires_at AS expiresAt, decision, decided_by AS decidedBy`;

type Columns = Omit<Approval, 'shown' | 'decision' | 'decidedBy'> & {
  readonly shown: string | null;
  readonly decision: ApprovalDecision | null;
  readonly decidedBy: string | null;
};

type NumberedColumns = Columns & { readonly approval: number };

/** The operations of `ApprovalStore`. */
export class ApprovalOperations {
  private readonly insert;
  private readonly selectByCall;
  private readonly selectById;
  private readonly selectPending;
  private readonly selectOfMessage;
  private readonly selectPendingAfter;
  private readonly selectPendingOfAll;
  private readonly selectNewest;
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
    this.selectPendingAfter = prepare<NumberedColumns>(
      database,
      `SELECT approval, ${COLUMNS} FROM approvals WHERE tenant = ? AND approval > ? AND decision IS NULL ORDER BY approval`,
    );
    this.selectPendingOfAll = prepare<NumberedColumns>(database, SELECT_PENDING_OF_ALL);
    this.selectNewest = prepare<NumberedColumns>(
      database,
      `SELECT approval, ${COLUMNS} FROM approvals WHERE approval < ? ORDER BY approval DESC`,
    );
    this.selectOfMessage = prepare<Columns>(
      database,
      `SELECT ${COLUMNS} FROM approvals WHERE session_id = ? AND message_ref = ? ORDER BY approval LIMIT ${MAX_PENDING}`,
    );
    this.setDecision = prepare(
      database,
      'UPDATE approvals SET decision = ?, decided_by = ?, decider = ? WHERE approval_id = ? AND decision IS NULL',
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
    return row && isInScope(tenant, row.tenant) ? toApproval(row) : undefined;
  }

  listPending(tenant: string): Approval[] {
    if (tenant !== ALL_TENANTS) return this.selectPending.all(tenant).map(toApproval);
    return Iterator.from(this.selectPendingOfAll.iterate(0)).take(MAX_PENDING).map(toApproval).toArray();
  }

  list({ tenant, state, after, limit }: ApprovalQuery): ApprovalPage {
    const rows =
      state === 'pending'
        ? this.iteratePending(tenant, after ?? 0)
        : this.selectNewest.iterate(after ?? Number.MAX_SAFE_INTEGER);
    const items: Approval[] = [];
    let visited = 0;
    for (const { approval: next, ...row } of rows) {
      if (isInScope(tenant, row.tenant) && (row.decision ?? 'pending') === state) items.push(toApproval(row));
      if (items.length === limit || ++visited === MAX_VISITED) return { items, next };
    }
    return { items };
  }

  private iteratePending(tenant: string, after: number): Iterable<NumberedColumns> {
    if (tenant === ALL_TENANTS) return this.selectPendingOfAll.iterate(after);
    return this.selectPendingAfter.iterate(tenant, after);
  }

  listOfMessage(sessionId: string, messageRef: string): Approval[] {
    return this.selectOfMessage.all(sessionId, messageRef).map(toApproval);
  }

  /** @param decidedBy the name of the decider, where it is not that of the audit trail, and the person who decided */
  decide(
    now: number,
    approvalId: string,
    decision: ApprovalDecision,
    actor: string,
    { decidedBy, person }: Partial<Pick<MessageRuling, 'decidedBy' | 'person'>> = {},
  ): DecidedApproval | undefined {
    const decider = person ? this.audit.subjectOf(person) : null;
    const isNew = this.setDecision.run(decision, decidedBy ?? actor, decider, approvalId).changes > 0;
    const row = this.selectById.get(approvalId);
    if (!row) return undefined;
    const approval = toApproval(row);
    if (isNew) this.audit.add(now, noteOfDecision(approval, decision, actor, person));
    return { ...approval, isNew };
  }

  /** Expires the approval of a call that will not start, if it has one that is not decided. */
  expire(now: number, callId: string): void {
    const row = this.selectByCall.get(callId);
    if (row) this.decide(now, row.approvalId, 'expired', 'gateway');
  }
}

/** Sorts the undecided ones, at most one for each waiting turn; the others are not read. */
const SELECT_PENDING_OF_ALL = `SELECT approval, ${COLUMNS} FROM approvals INDEXED BY approvals_pending
  WHERE decision IS NULL AND approval > ? ORDER BY approval`;

function toApproval({ shown, decision, decidedBy, ...approval }: Columns): Approval {
  return {
    ...approval,
    ...(shown !== null && { shown }),
    ...(decision && { decision }),
    ...(decidedBy !== null && { decidedBy }),
  };
}
