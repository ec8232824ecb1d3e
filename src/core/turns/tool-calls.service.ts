import { Injectable } from '@nestjs/common';
import { ApprovalsService, readRuling } from '../approvals/approvals.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import { personalTurnOf, readQuestion } from '../questions/question.js';
import { QuestionsService, type CallStatus } from '../questions/questions.service.js';
import { MessageClaimsService } from '../queue/message-claims.service.js';
import type { Approval } from '../store/index.js';
import { toSafeJson, toSafeText } from '../store/safe-text.js';
import { Tracing } from '../telemetry/tracing.js';
import { Clock } from '../time/clock.js';
import type { AddedBlock, CallReview, FailedOutcome, ToolOutcome } from '../tools/tool.js';
import { failure } from '../tools/tool-outcomes.js';
import { ToolRegistryService } from '../tools/tool-registry.service.js';
import { buildEndOfCall, describeOutcome } from './call-end.js';
import { TurnMeterService } from './turn-meter.service.js';
import type { EndOfCall, NamedCall } from './turn-journal.js';
import type { Turn } from './turn.js';

/** Maximum length of a progress report, in UTF-16 units. */
const MAX_PROGRESS_LENGTH = 1_024;
/** Maximum length of what an approval says of its call, in UTF-16 units. */
const MAX_SHOWN_LENGTH = 2_048;

/** Why a call in the run of a job is denied at once. The agent must not try it in other words. */
const UNATTENDED = 'it cannot be approved in this run of a job; this is final, do not try it in another way';

/** Why an approval was not given, with the principal that denied it. */
interface Denial {
  readonly outcome: ToolOutcome;
  readonly decidedBy: string | undefined;
}

/**
 * Runs the tool calls of turns. The intent is durable before the tool starts, the result before it is used. When a crash
 * hid the outcome of a call, an idempotent tool runs again; any other call ends as `unknown`. A call that needs an
 * approval starts only after its start is recorded.
 */
@Injectable()
export class ToolCallsService {
  // oxlint-disable-next-line max-params -- what a call goes through, each its own service
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly approvals: ApprovalsService,
    private readonly claims: MessageClaimsService,
    private readonly questions: QuestionsService,
    private readonly meter: TurnMeterService,
    private readonly clock: Clock,
    private readonly tracing: Tracing,
  ) {}

  /** Runs a call, or returns the outcome that an earlier run has recorded. @throws LeaseLostError */
  async call(turn: Turn, call: NamedCall): Promise<ToolOutcome> {
    const recorded = turn.journal.findCall(call.callId);
    if (recorded?.outcome) {
      // The process may have died before the person saw it.
      await this.showToPerson(turn, describeOutcome(call, recorded.outcome, recorded.end));
      return recorded.outcome;
    }
    if (recorded?.mayHaveStarted && !this.mayRepeat(call)) {
      const reason = 'a crash hid its outcome; it may have taken effect and is not run again';
      return this.end(turn, call, failure('TOOL_FAILED', { tool: call.tool, reason }), { status: 'unknown' });
    }
    const refusal =
      (await this.registry.awaitTool(call.tool, turn.signals.agent)) ??
      this.registry.refuse(call.tool, call.parameters, turn.user);
    const review = refusal ?? recorded ?? (await this.review(turn, call));
    // Only its review knows which parameters are secret: without it none is shown.
    const unseen = { needsApproval: false, ...(!refusal && { shownParameters: {} }) };
    if (!recorded) await recordIntent(turn, call, 'code' in review ? unseen : review);
    if ('code' in review) return this.end(turn, call, review);
    const denial = await this.askApproval(turn, call);
    if (denial) return this.end(turn, call, denial.outcome, { decided_by: denial.decidedBy });
    failpoint('tool.after_intent');
    return this.execute(turn, call);
  }

  /** Returns whether a call whose outcome a crash hid may run again. */
  private mayRepeat({ tool }: NamedCall): boolean {
    const { idempotent = false, remembersCalls = false } = this.registry.find(tool) ?? {};
    return idempotent || remembersCalls;
  }

  private async review(
    { user, signals }: Turn,
    { callId, tool, parameters }: NamedCall,
  ): Promise<CallReview | FailedOutcome> {
    const review = await this.registry.review(tool, parameters, { ...user, callId, signal: signals.agent });
    if ('code' in review || review.shown === undefined) return review;
    return { ...review, shown: toSafeText(review.shown.slice(0, MAX_SHOWN_LENGTH)) };
  }

  /** Waits for the approval of a call that needs one. Returns why the call may not start, if it may not. */
  private async askApproval(turn: Turn, call: NamedCall): Promise<Denial | undefined> {
    const { session, message, claim, writer, journal, signals } = turn;
    const recorded = journal.findCall(call.callId);
    if (recorded?.mayHaveStarted) return undefined;
    const personal = personalTurnOf(message);
    if (personal.approvalWaitMs === 0)
      return { outcome: failure('TOOL_DENIED', { tool: call.tool, reason: UNATTENDED }), decidedBy: undefined };
    const { shown, shownParameters } = recorded ?? {};
    const approval = await this.approvals.request({
      ...{ tenant: session.tenant, ...personal, ...call, shown },
      ...(shownParameters !== undefined && { shownParameters }),
    });
    const { decision, decidedBy } =
      readRuling(approval) ??
      (await this.claims.waitOutside(claim.lease, signals.agent, async () => {
        // A person may take hours, and other turns need the rest of the quota meanwhile.
        this.meter.release(turn);
        const status = describeApproval(approval);
        writer.add(turn.reply.buildToolStatus(status));
        await this.showToPerson(turn, status);
        return this.approvals.waitForDecision(approval, signals.agent);
      }));
    if (decision !== 'allow') {
      const reason = decision === 'deny' ? 'a person denied it' : 'it was not approved in time';
      return { outcome: failure('TOOL_DENIED', { tool: call.tool, reason }), decidedBy };
    }
    await writer.record(journal.record({ kind: 'tool_start', body: { callId: call.callId } }));
    return undefined;
  }

  private async execute(turn: Turn, call: NamedCall): Promise<ToolOutcome> {
    const { reply, writer, signals, user, message, journal } = turn;
    const { callId, tool } = call;
    const status = { call_id: callId, tool, status: 'running' } as const;
    writer.add(reply.buildToolStatus(status));
    await this.showToPerson(turn, status);
    const startedAt = this.clock.elapsed();
    const recorded = journal.findCall(callId);
    const added: AddedBlock[] = [];
    const span = this.tracing.start(`execute_tool ${tool}`, {
      parent: turn.trace,
      attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool, 'gen_ai.tool.call.id': callId },
    });
    const outcome = await this.registry.execute(tool, call.parameters, {
      ...user,
      turn: {
        messageRef: message.messageRef,
        chain: readQuestion(message)?.chain ?? [],
        personal: personalTurnOf(message),
        show: (asked) => this.showAsked(turn, asked),
        addBlock: (block) => added.push(block),
      },
      callId,
      trace: span.trace,
      reportProgress: (text) => {
        const detail = toSafeText(text.slice(0, MAX_PROGRESS_LENGTH));
        writer.add(reply.buildToolStatus({ call_id: callId, tool, status: 'progress', detail }));
      },
      signal: signals.agent,
      approved: recorded?.needsApproval ? recorded.shown : undefined,
    });
    span.end(outcome.ok ? undefined : outcome.code);
    failpoint('tool.after_effect');
    const end = { duration_ms: Math.round(this.clock.elapsed() - startedAt) };
    return this.end(turn, call, outcome, end, outcome.ok ? added : []);
  }

  /** Records the result of a call, with the blocks that it adds to the reply. */
  private async end(
    turn: Turn,
    call: NamedCall,
    outcome: ToolOutcome,
    end: EndOfCall = {},
    added: readonly AddedBlock[] = [],
  ): Promise<ToolOutcome> {
    const status = describeOutcome(call, outcome, end);
    const { journal, reply, writer } = turn;
    const entry = journal.record({ kind: 'tool_result', body: { callId: call.callId, outcome, end } });
    const frames = buildEndOfCall(reply, outcome, status);
    const blocks = added.map(({ type, content, metadata }) =>
      reply.buildWholeBlock(type, toSafeText(content), metadata),
    );
    await writer.record(entry, ...frames, ...blocks);
    await this.showToPerson(turn, status);
    return outcome;
  }

  /** Shows a call that needs an approval in the session of the person, where that is another one. */
  private async showToPerson({ message, journal, agent, signals }: Turn, status: CallStatus): Promise<void> {
    if (!readQuestion(message) || !journal.findCall(status.call_id)?.needsApproval) return;
    await this.questions.show(message.messageRef, { ...status, agent: agent.id }, signals.agent);
  }

  /** Shows a call of an agent that this turn has asked. */
  private async showAsked(turn: Turn, status: CallStatus): Promise<void> {
    const { message, signals } = turn;
    if (readQuestion(message)) return this.questions.show(message.messageRef, status, signals.agent);
    return turn.showAsked(status);
  }
}

async function recordIntent({ journal, reply, writer }: Turn, call: NamedCall, review: CallReview): Promise<void> {
  const { callId, tool } = call;
  const { shownParameters: parameters = call.parameters } = review;
  await writer.record(
    journal.record({ kind: 'tool_intent', body: { callId, tool, ...review } }),
    reply.buildToolStatus({ call_id: callId, tool, status: 'requested' }),
    reply.buildWholeBlock('tool_call', toSafeJson({ call_id: callId, tool, parameters })),
  );
}

function describeApproval(approval: Approval): CallStatus {
  const { approvalId, argumentsSha256, expiresAt, callId, tool, shown } = approval;
  return {
    call_id: callId,
    tool,
    status: 'awaiting_approval',
    ...(shown !== undefined && { detail: shown }),
    approval: {
      approval_id: approvalId,
      arguments: JSON.parse(approval.arguments) as unknown,
      arguments_sha256: argumentsSha256,
      expires_at: expiresAt,
    },
  };
}
