import type { Json } from './records.js';

/** A tool call that a person has to approve. */
export interface Approval {
  readonly approvalId: string;
  readonly tenant: string;
  readonly sessionId: string;
  /** That of a direct call is its call id: see {@link findMessageRef}. */
  readonly messageRef: string;
  readonly callId: string;
  readonly tool: string;
  /** As they were shown. */
  readonly arguments: Json;
  /** The effect of the call in words, if its tool describes it. */
  readonly shown?: string;
  /** SHA-256 of the canonical arguments of the call; a decision applies to exactly these. */
  readonly argumentsSha256: string;
  readonly expiresAt: number;
  /** Absent while undecided. */
  readonly decision?: ApprovalDecision;
  /** Who decided; `gateway` where it expired. Absent while undecided, and where an earlier version stored the decision. */
  readonly decidedBy?: string;
}

/** Returns the message that a call is for; undefined for a call outside of turns. */
export function findMessageRef({ messageRef, callId }: Pick<Approval, 'messageRef' | 'callId'>): string | undefined {
  return messageRef === callId ? undefined : messageRef;
}

/** An approval after a decision on it. */
export interface DecidedApproval extends Approval {
  /** False if it was decided before: that decision stands. */
  readonly isNew: boolean;
}

export type ApprovalDecision = 'allow' | 'deny' | 'expired';

/** Stores approvals. Calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer. */
export abstract class ApprovalStore {
  /** Stores a new approval. Resolves with the existing one if the call already has one. */
  abstract openApproval(approval: Approval): Promise<Approval>;

  abstract findApproval(tenant: string, approvalId: string): Promise<Approval | undefined>;

  /** Lists the undecided approvals of a tenant, oldest first. */
  abstract listPendingApprovals(tenant: string): Promise<readonly Approval[]>;

  /**
   * Records a decision unless there is one, and resolves with the approval as decided. The decision and its row in the
   * audit trail are one commit.
   */
  abstract decideApproval(
    approvalId: string,
    decision: ApprovalDecision,
    actor: string,
  ): Promise<DecidedApproval | undefined>;
}
