import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { Principal } from '../identity/principal.js';
import { follow } from '../replicas/follow.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import { ApprovalStore, Store, type Approval, type ApprovalDecision, type Session } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { hashArguments } from './arguments-hash.js';

/** Pause before an approval is expired again, in milliseconds, after the store could not do it. */
const RETRY_AFTER_MS = 1_000;

/** A call that needs an approval. */
export interface ApprovalRequest {
  readonly session: Session;
  readonly messageRef: string;
  readonly callId: string;
  readonly tool: string;
  readonly parameters: unknown;
}

/**
 * Lets a person decide on tool calls. An approval is for exactly the arguments it was asked for, is kept over restarts,
 * and expires.
 */
@Injectable()
export class ApprovalsService {
  private readonly log: Log;
  private readonly waiting = new Map<string, (decision: ApprovalDecision) => void>();

  constructor(
    private readonly approvals: ApprovalStore,
    private readonly store: Store,
    private readonly router: SessionRouterService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  /** Asks for an approval; a call that has asked before finds its own again. @throws GatewayError STORE_UNAVAILABLE */
  request({ session, messageRef, callId, tool, parameters }: ApprovalRequest): Promise<Approval> {
    return this.approvals.openApproval({
      approvalId: `a_${randomUUID()}`,
      tenant: session.tenant,
      sessionId: session.id,
      messageRef,
      callId,
      tool,
      arguments: JSON.stringify(parameters),
      argumentsSha256: hashArguments(parameters),
      expiresAt: this.clock.now() + this.config.get('tools.approval_timeout_ms'),
    });
  }

  /**
   * Resolves with the decision, at the latest when the approval expires. Resolves with `expired` when `signal` aborts;
   * then the approval itself stays open, for the next run of its turn.
   */
  async waitForDecision(approval: Approval, signal: AbortSignal): Promise<ApprovalDecision> {
    if (approval.decision) return approval.decision;
    const decided = new Promise<ApprovalDecision>((resolve) => this.waiting.set(approval.approvalId, resolve));
    const stop = new AbortController();
    const unfollow = follow(this.store, this.clock, {
      poll: () => this.noticeDecision(approval),
      onError: (error) => this.warn(error, approval),
    });
    try {
      return await Promise.race([decided, this.expire(approval, AbortSignal.any([signal, stop.signal]))]);
    } finally {
      stop.abort();
      unfollow();
      this.waiting.delete(approval.approvalId);
    }
  }

  /**
   * Decides in the name of `principal`: an operator, or a user who takes part in the session.
   * @throws GatewayError NOT_FOUND; FORBIDDEN when the hash is not that of the arguments, or it is too late
   */
  async decide(
    principal: Principal,
    approvalId: string,
    decision: 'allow' | 'deny',
    argumentsSha256: string,
  ): Promise<void> {
    if (principal.role === 'channel')
      throw new GatewayError('FORBIDDEN', { reason: 'a channel credential decides on no approval' });
    const approval = await this.approvals.findApproval(principal.tenant, approvalId);
    if (!approval) throw new GatewayError('NOT_FOUND', { what: `approval ${approvalId}` });
    await this.router.getReadable(principal, approval.sessionId);
    if (approval.argumentsSha256 !== argumentsSha256) {
      throw new GatewayError('FORBIDDEN', { reason: 'arguments_sha256 is not that of the arguments to approve' });
    }
    const isLate = this.clock.now() >= approval.expiresAt;
    const settled = await this.settle(approval, isLate ? 'expired' : decision, principal.principal);
    if (settled !== decision)
      throw new GatewayError('FORBIDDEN', { reason: `it is too late: the approval is decided already (${settled})` });
  }

  /** What waits for a decision. */
  listPending(tenant: string): Promise<readonly Approval[]> {
    return this.approvals.listPendingApprovals(tenant);
  }

  /** The first decision stands. */
  private async settle(approval: Approval, decision: ApprovalDecision, actor: string): Promise<ApprovalDecision> {
    const decided = await this.approvals.decideApproval(approval.approvalId, decision, actor);
    const settled = decided?.decision ?? decision;
    this.log.info(
      { approval_id: approval.approvalId, tool: approval.tool, decision: settled, actor },
      'approval decided',
    );
    this.waiting.get(approval.approvalId)?.(settled);
    return settled;
  }

  /** Takes over a decision that was made on another replica. */
  private async noticeDecision({ tenant, approvalId }: Approval): Promise<void> {
    const decision = (await this.approvals.findApproval(tenant, approvalId))?.decision;
    if (decision) this.waiting.get(approvalId)?.(decision);
  }

  /** Resolves when the approval has expired, or when `signal` aborts. */
  private async expire(approval: Approval, signal: AbortSignal): Promise<ApprovalDecision> {
    while (!signal.aborted) {
      const remainingMs = approval.expiresAt - this.clock.now();
      try {
        if (remainingMs <= 0) return await this.settle(approval, 'expired', 'gateway');
      } catch (error) {
        this.warn(error, approval);
      }
      await this.clock.sleep(remainingMs > 0 ? remainingMs : RETRY_AFTER_MS, signal);
    }
    return 'expired';
  }

  private warn(error: unknown, { approvalId }: Approval): void {
    this.log.warn({ error, approval_id: approvalId }, 'an approval could not be read; trying again in a second');
  }
}
