import type { Json } from './records.js';

/** A tool call that a person has to approve. */
export interface Approval {
  readonly approvalId: string;
  readonly tenant: string;
  readonly sessionId: string;
  readonly messageRef: string;
  readonly callId: string;
  readonly tool: string;
  readonly arguments: Json;
  /** Of the canonical arguments: a decision is for exactly these. */
  readonly argumentsSha256: string;
  readonly expiresAt: number;
  /** Missing while nobody has decided. */
  readonly decision?: ApprovalDecision;
}

export type ApprovalDecision = 'allow' | 'deny' | 'expired';

/** Keeps approvals over restarts. Rejects with GatewayError STORE_UNAVAILABLE when the store cannot answer. */
export abstract class ApprovalStore {
  /** Keeps a new approval, or answers the one that its call has already. */
  abstract openApproval(approval: Approval): Promise<Approval>;

  abstract findApproval(tenant: string, approvalId: string): Promise<Approval | undefined>;

  /** Those of a tenant that nobody has decided, oldest first. */
  abstract listPendingApprovals(tenant: string): Promise<readonly Approval[]>;

  /**
   * Decides, unless somebody has before: the first decision stands, and is answered. The decision and its row in the
   * audit trail are one commit.
   */
  abstract decideApproval(approvalId: string, decision: ApprovalDecision, actor: string): Promise<Approval | undefined>;
}
