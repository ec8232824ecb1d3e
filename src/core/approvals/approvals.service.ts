import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { BoundedMap } from '../cache/bounded-map.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { checkDecides, type Principal } from '../identity/principal.js';
import { follow } from '../replicas/follow.js';
import { MessageQueueService } from '../queue/message-queue.service.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import { ApprovalStore, Store, type Approval, type ApprovalDecision } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { hashArguments } from './arguments-hash.js';

/** Number of announced decisions that are known. A decision is noticed twice only within moments: where it is made, and by the call that waits for it. */
const MAX_ANNOUNCED = 1_000;

/** Pause before a failed attempt to expire an approval is repeated, in milliseconds. */
const RETRY_DELAY_MS = 1_000;

/** A decision, with the principal that made it unless the approval expired. */
export type Ruling = Pick<Approval, 'decidedBy'> & { readonly decision: ApprovalDecision };

type ApprovalKey = Pick<Approval, 'tenant' | 'approvalId'>;
type DecidedListener = (approval: Approval, ruling: Ruling) => void;

/** A call that needs an approval. */
export interface ApprovalRequest {
  readonly tenant: string;
  /** The session in which people decide, and its message that the call is for. */
  readonly sessionId: string;
  readonly messageRef: string;
  readonly callId: string;
  readonly tool: string;
  readonly parameters: unknown;
  /** See `CallReview`. */
  readonly shown?: string | undefined;
  /** See `CallReview`. */
  readonly shownParameters?: unknown;
  /** Time for the decision in milliseconds, if it is shorter than that of the settings. */
  readonly approvalWaitMs?: number;
}

/**
 * Lets people decide on tool calls. An approval applies to exactly the arguments that were shown, survives restarts, and
 * expires, at the latest with its turn.
 */
@Injectable()
export class ApprovalsService {
  private readonly log: Log;
  private readonly waiting = new Map<string, (ruling: Ruling) => void>();
  private readonly openedListeners: ((approval: Approval) => void)[] = [];
  private readonly decidedListeners: DecidedListener[] = [];
  /** The approvals whose decision was announced last. */
  private readonly announced = new BoundedMap<string, true>(MAX_ANNOUNCED);

  // oxlint-disable-next-line max-params -- what an approval needs, each from its own service
  constructor(
    private readonly approvals: ApprovalStore,
    private readonly store: Store,
    private readonly router: SessionRouterService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    queue: MessageQueueService,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
    queue.onRuling((tenant, approvalId) => this.look({ tenant, approvalId }));
  }

  /** Calls a listener with each approval that is opened on this replica. It must not throw. */
  onOpened(listener: (approval: Approval) => void): void {
    this.openedListeners.push(listener);
  }

  /** Calls a listener with each decision that is made on this replica, or that a call here has waited for. It must not throw. */
  onDecided(listener: DecidedListener): void {
    this.decidedListeners.push(listener);
  }

  /** Opens the approval of a call, or resolves with the one that the call already has. @throws GatewayError STORE_UNAVAILABLE */
  async request({
    tenant,
    sessionId,
    messageRef,
    callId,
    tool,
    parameters,
    shown,
    shownParameters = parameters,
    approvalWaitMs = Infinity,
  }: ApprovalRequest): Promise<Approval> {
    const approvalId = `a_${randomUUID()}`;
    const approval = await this.approvals.openApproval({
      approvalId,
      tenant,
      sessionId,
      messageRef,
      callId,
      tool,
      arguments: JSON.stringify(shownParameters),
      ...(shown !== undefined && { shown }),
      argumentsSha256: hashArguments(parameters),
      expiresAt: this.clock.now() + Math.min(approvalWaitMs, this.config.get('tools.approval_timeout_ms')),
    });
    if (approval.approvalId === approvalId) for (const listener of this.openedListeners) listener(approval);
    return approval;
  }

  /**
   * Resolves with the decision, at the latest when the approval expires. Resolves with `expired` when `signal` aborts, but
   * leaves the approval open: another run of the turn may wait for it, and the end of the turn expires it.
   */
  async waitForDecision(approval: Approval, signal: AbortSignal): Promise<Ruling> {
    const ruling = readRuling(approval);
    if (ruling) return ruling;
    const decided = Promise.withResolvers<Ruling>();
    const { resolve } = decided;
    this.waiting.set(approval.approvalId, resolve);
    const stop = new AbortController();
    // It may have been decided since the approval was read.
    this.look(approval);
    const unfollow = follow(this.store, this.clock, {
      poll: () => this.noticeDecision(approval),
      onError: (error) => this.warn(error, approval),
    });
    try {
      return await Promise.race([decided.promise, this.expire(approval, AbortSignal.any([signal, stop.signal]))]);
    } finally {
      stop.abort();
      unfollow();
      // A newer run of the message may wait by now: a replica that lost its lease can claim it again.
      if (this.waiting.get(approval.approvalId) === resolve) this.waiting.delete(approval.approvalId);
    }
  }

  /** Expires an approval for which nothing waits any more. @throws GatewayError STORE_UNAVAILABLE */
  async withdraw(approval: Approval): Promise<void> {
    await this.settle(approval, 'expired', 'gateway');
  }

  /**
   * Decides on behalf of `principal`, an operator or a participant of the session. To repeat the decision that stands changes
   * nothing.
   * @throws GatewayError NOT_FOUND; FORBIDDEN when the hash does not match the arguments, or the approval is decided otherwise or
   *   expired
   */
  async decide(
    principal: Principal,
    approvalId: string,
    decision: 'allow' | 'deny',
    argumentsSha256: string,
  ): Promise<void> {
    checkDecides(principal);
    const approval = await this.approvals.findApproval(principal.tenant, approvalId);
    if (!approval) throw new GatewayError('NOT_FOUND', { what: `approval ${approvalId}` });
    await this.router.getReadable(principal, approval.sessionId);
    if (approval.argumentsSha256 !== argumentsSha256) {
      throw new GatewayError('FORBIDDEN', { reason: 'arguments_sha256 does not match the arguments of the call' });
    }
    const isLate = this.clock.now() >= approval.expiresAt;
    const settled = await this.settle(approval, isLate ? 'expired' : decision, principal.principal);
    if (settled.decision === decision) return;
    const reason =
      settled.decision !== 'expired'
        ? `the approval is decided already (${settled.decision})`
        : isLate
          ? 'the approval has expired'
          : 'the turn that waited for the approval has ended';
    throw new GatewayError('FORBIDDEN', { reason: `it is too late: ${reason}` });
  }

  /** Returns the undecided approvals of the sessions that `principal` may read, oldest first. */
  async listPending(principal: Principal): Promise<readonly Approval[]> {
    const pending = await this.approvals.listPendingApprovals(principal.tenant);
    const readable = await Promise.all(pending.map(({ sessionId }) => this.router.isReadable(principal, sessionId)));
    return pending.filter((_, index) => readable[index]);
  }

  /** Stores a decision. Returns the first one that was stored, which stands. */
  private async settle(approval: Approval, decision: ApprovalDecision, actor: string): Promise<Ruling> {
    const decided = await this.approvals.decideApproval(approval.approvalId, decision, actor);
    const settled = (decided && readRuling(decided)) ?? { decision };
    if (decided?.isNew) this.announce(approval, settled);
    this.waiting.get(approval.approvalId)?.(settled);
    return settled;
  }

  private announce(approval: Approval, ruling: Ruling): void {
    const { approvalId, tool } = approval;
    if (this.announced.get(approvalId)) return;
    this.announced.set(approvalId, true);
    // Who decided is in the audit trail, and may be a person of a chat.
    this.log.info({ approval_id: approvalId, tool, decision: ruling.decision }, 'approval decided');
    for (const listener of this.decidedListeners) listener(approval, ruling);
  }

  /** Looks for a decision that was made elsewhere: by a message, or on another replica. */
  private look(approval: ApprovalKey): void {
    this.noticeDecision(approval).catch((error: unknown) => this.warn(error, approval));
  }

  private async noticeDecision({ tenant, approvalId }: ApprovalKey): Promise<void> {
    const approval = await this.approvals.findApproval(tenant, approvalId);
    const ruling = approval && readRuling(approval);
    if (!ruling) return;
    this.announce(approval, ruling);
    this.waiting.get(approvalId)?.(ruling);
  }

  /** Waits for the end of the approval's time, or until `signal` aborts. Expires the approval at the former. */
  private async expire(approval: Approval, signal: AbortSignal): Promise<Ruling> {
    while (!signal.aborted) {
      await this.untilExpired(approval, signal);
      try {
        if (!signal.aborted) return await this.settle(approval, 'expired', 'gateway');
      } catch (error) {
        this.warn(error, approval);
      }
      await this.clock.sleep(RETRY_DELAY_MS, signal);
    }
    return { decision: 'expired' };
  }

  private untilExpired({ expiresAt }: Approval, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.clock.now() >= expiresAt) return resolve();
      const cancel = this.clock.setAlarm(expiresAt, resolve);
      signal.addEventListener('abort', () => (cancel(), resolve()), { once: true });
    });
  }

  private warn(error: unknown, { approvalId }: ApprovalKey): void {
    this.log.warn({ error, approval_id: approvalId }, 'an approval could not be read; trying again in a second');
  }
}

/** Returns the decision on an approval; undefined while there is none. */
export function readRuling({ decision, decidedBy }: Approval): Ruling | undefined {
  if (!decision) return undefined;
  return { decision, ...(decidedBy !== undefined && decision !== 'expired' && { decidedBy }) };
}
