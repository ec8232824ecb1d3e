import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { AgentsService } from '../agents/agents.service.js';
import { noteOfCall } from '../audit/audit-notes.js';
import { PrincipalDirectory } from '../identity/principal-directory.js';
import type { Principal } from '../identity/principal.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { toSpeaker } from '../identity/tenant-scope.js';
import { buildSessionSeed } from '../sessions/session-key.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import {
  AdminStore,
  ALL_TENANTS,
  AuditStore,
  findMessageRef,
  SessionStore,
  Store,
  type Approval,
  type Session,
} from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { ToolRegistryService, type ToolUser } from '../tools/tool-registry.service.js';
import type { CallReview, FailedOutcome, ToolOutcome } from '../tools/tool.js';
import { ApprovalsService } from './approvals.service.js';
import { hashArguments } from './arguments-hash.js';

/** The channel and the client of calls that name no session. */
const CHANNEL = 'api';

/** Number of approvals that are read at once. */
const PAGE = 200;

/** A call of a tool outside of turns. */
export interface DirectCall {
  readonly tool: string;
  readonly parameters: object;
  /** The session in which it is called; undefined for one of the caller's own. */
  readonly sessionId?: string | undefined;
  /** Cancels it. */
  readonly signal: AbortSignal;
}

/** The end of a call that was made. */
export interface EndedCall {
  readonly callId: string;
  readonly outcome: ToolOutcome;
}

/** A call that may start unless a person must approve it. */
interface ReviewedCall extends DirectCall {
  readonly callId: string;
  readonly user: ToolUser;
  readonly review: CallReview;
}

/**
 * Runs the tool calls of operators' programs, outside of turns: with the permissions, the checks and the approvals of a call in a
 * turn. They are not journalled: a call ends with the request that made it.
 */
@Injectable()
export class DirectCallsService {
  private readonly log: Log;

  // oxlint-disable-next-line max-params -- what decides on a call, each from its own service
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly approvals: ApprovalsService,
    private readonly router: SessionRouterService,
    private readonly sessions: SessionStore,
    private readonly principals: PrincipalDirectory,
    private readonly agents: AgentsService,
    private readonly audit: AuditStore,
    private readonly admin: AdminStore,
    private readonly store: Store,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  /**
   * Expires the approvals of calls that ended with their process: at once, or when their time is over if another replica may have
   * the call.
   */
  @StartStep({ name: 'expire approvals of calls that a crash ended', phase: 'follow' })
  async expireLeftovers(): Promise<Undo> {
    const stop = new AbortController();
    for (const approval of await this.listOpen()) {
      const fields = { approval_id: approval.approvalId, tool: approval.tool };
      this.log.info(fields, 'the call that waits for this approval may have ended with its gateway');
      if (this.store.isShared) void this.approvals.waitForDecision(approval, stop.signal);
      else await this.approvals.withdraw(approval);
    }
    return () => stop.abort();
  }

  /**
   * Runs a call. One that needs an approval waits for it, in its session.
   * @param caller its tenant may be `ALL_TENANTS`: it speaks in that of the session
   * @throws GatewayError NOT_FOUND for the session; TOOL_NOT_FOUND, TOOL_DENIED or TOOL_INVALID_PARAMETERS if the call may not
   *   start; STORE_UNAVAILABLE
   */
  async call(caller: Principal, call: DirectCall): Promise<EndedCall> {
    const { tool, parameters, sessionId, signal } = call;
    const user =
      sessionId === undefined
        ? await this.findUser(toSpeaker(caller, caller.tenant), CHANNEL)
        : await this.join(caller, sessionId);
    const unavailable = await this.registry.awaitTool(tool, signal);
    const callId = randomUUID();
    if (unavailable) return { callId, outcome: unavailable };
    checkStart(this.registry.refuse(tool, parameters, user));
    const review = await this.registry.review(tool, parameters, { ...user, callId, signal });
    if ('code' in review) return { callId, outcome: review };
    const reviewed = { ...call, callId, user, review };
    if (review.needsApproval) await this.awaitApproval(reviewed);
    await this.record(reviewed);
    const outcome = await this.registry.execute(tool, parameters, {
      ...user,
      callId,
      signal,
      reportProgress: () => {},
      approved: review.needsApproval ? review.shown : undefined,
    });
    return { callId, outcome };
  }

  /**
   * Returns who calls in the session of a caller's own on a channel. It has the credential's `tool_permissions` in addition to those
   * of every session. It is not stored before something is said in it.
   */
  async findUser({ tenant, principal }: Principal, channel: string): Promise<ToolUser> {
    const seed = buildSessionSeed(tenant, { channel, sender: principal });
    const granted = this.principals.findToolPermissions(tenant, principal) ?? [];
    const now = this.clock.now();
    const known = await this.sessions.findSession(seed.id);
    const session: Session = known ?? {
      ...seed,
      hasSeveralParticipants: false,
      createdAt: now,
      lastActive: now,
      memoryRefs: [],
      toolPermissions: [],
      explicitActivation: false,
      headSeq: 0,
    };
    return {
      session: { ...session, toolPermissions: [...session.toolPermissions, ...granted] },
      caller: { tenant, principal, clientId: channel },
      agent: this.agents.get(session.agent),
    };
  }

  /** Lists the undecided approvals of calls outside of turns. */
  private async listOpen(): Promise<Approval[]> {
    const open: Approval[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const query = { tenant: ALL_TENANTS, state: 'pending', after, limit: PAGE } as const;
      const { items, next } = await this.admin.listApprovals(query);
      open.push(...items.filter((approval) => findMessageRef(approval) === undefined));
      after = next;
    }
    return open;
  }

  private async join(caller: Principal, sessionId: string): Promise<ToolUser> {
    const session = await this.router.getReadable(caller, sessionId);
    const { principal } = caller;
    return {
      session,
      caller: { tenant: session.tenant, principal, clientId: CHANNEL },
      agent: this.agents.get(session.agent),
    };
  }

  /** Waits until a person approves a call. @throws GatewayError TOOL_DENIED */
  private async awaitApproval({ tool, parameters, sessionId, signal, callId, user, review }: ReviewedCall) {
    if (sessionId === undefined) throw denied(tool, 'a person must approve it: name the session by session_id');
    const { shown, shownParameters } = review;
    const approval = await this.approvals.request({
      // The call takes the place of the message: that is how `findMessageRef` knows that there is none.
      ...{ tenant: user.session.tenant, sessionId, messageRef: callId, callId, tool, parameters, shown },
      ...(shownParameters !== undefined && { shownParameters }),
    });
    const { decision } = await this.approvals.waitForDecision(approval, signal);
    // No caller waits for it any more.
    if (signal.aborted) await this.approvals.withdraw(approval);
    if (decision !== 'allow')
      throw denied(tool, decision === 'deny' ? 'a person denied it' : 'it was not approved in time');
  }

  /** Adds a call to the audit trail; the registry adds those that are not idempotent. @throws GatewayError STORE_UNAVAILABLE */
  private async record({ tool, parameters, callId, user: { session, caller } }: ReviewedCall): Promise<void> {
    if (this.registry.find(tool)?.idempotent !== true) return;
    const argumentsSha256 = hashArguments(parameters);
    await this.audit.recordAudit(noteOfCall({ session, actor: caller.principal, tool, callId, argumentsSha256 }));
  }
}

/** @throws GatewayError for a call that may not start. Its pointers are those of a body with `parameters` */
function checkStart(refusal: FailedOutcome | undefined): void {
  if (!refusal) return;
  const { code, details } = refusal;
  if (!('faults' in details)) throw new GatewayError(code, details);
  const faults = details.faults.map(({ pointer, message }) => ({ pointer: `/parameters${pointer}`, message }));
  throw new GatewayError('TOOL_INVALID_PARAMETERS', { tool: details.tool, faults });
}

function denied(tool: string, reason: string): GatewayError {
  return new GatewayError('TOOL_DENIED', { tool, reason });
}
