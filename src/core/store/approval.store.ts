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
  /** SHA-256 of the canonical arguments: a decision is for exactly these. */
  readonly argumentsSha256: string;
  readonly expiresAt: number;
  /** Missing while there is no decision. */
  readonly decision?: ApprovalDecision;
}

export type ApprovalDecision = 'allow' | 'deny' | 'expired';

/** Keeps approvals over restarts. Rejects with GatewayError STORE_UNAVAILABLE when the store cannot answer. */
export abstract class ApprovalStore {
  /** Keeps a new approval; resolves with the one that its call has already, if any. */
  abstract openApproval(approval: Approval): Promise<Approval>;

  abstract findApproval(tenant: string, approvalId: string): Promise<Approval | undefined>;

  /** The undecided approvals of a tenant, oldest first. */
  abstract listPendingApprovals(tenant: string): Promise<readonly Approval[]>;

  /**
   * Decides; the first decision stands, and the call resolves with it. The decision and its row in the
   * audit trail are one commit.
   */
  abstract decideApproval(approvalId: string, decision: ApprovalDecision, actor: string): Promise<Approval | undefined>;
}
