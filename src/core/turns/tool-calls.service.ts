import { Injectable } from '@nestjs/common';
import type { ToolCallStatus, ToolStatusPayload } from '../../protocol/domain.js';
import { ApprovalsService } from '../approvals/approvals.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import { readQuestion } from '../questions/question.js';
import type { Approval } from '../store/index.js';
import { Clock } from '../time/clock.js';
import type { ToolOutcome } from '../tools/tool.js';
import { failure, ToolRegistryService } from '../tools/tool-registry.service.js';
import { toSafeJson, toSafeText } from './safe-text.js';
import type { NamedCall } from './turn-journal.js';
import type { Turn } from './turn.js';

/** No person reads the session of a question, so an approval would never be decided. */
const NO_APPROVAL = 'it needs the approval of a person, which an agent that is asked by another cannot get';

/** Maximum length of a progress report, in UTF-16 units. */
const MAX_PROGRESS_LENGTH = 1_024;

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
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly approvals: ApprovalsService,
    private readonly clock: Clock,
  ) {}

  /** Runs a call, or returns the outcome that an earlier run has recorded. @throws LeaseLostError */
  async call(turn: Turn, call: NamedCall): Promise<ToolOutcome> {
    const recorded = turn.journal.findCall(call.callId);
    if (recorded?.outcome) return recorded.outcome;
    if (recorded?.mayHaveStarted && !this.registry.find(call.tool)?.idempotent) {
      const reason = 'a crash hid its outcome; it may have taken effect and is not run again';
      return recordResult(turn, call, failure('TOOL_FAILED', { tool: call.tool, reason }), 'unknown');
    }
    const refusal =
      (await this.registry.awaitTool(call.tool, turn.signals.agent)) ??
      this.registry.refuse(call.tool, call.parameters, turn.user);
    if (!recorded) await recordIntent(turn, call, !refusal && this.registry.needsApproval(call.tool));
    if (refusal) return recordResult(turn, call, refusal, statusOf(refusal));
    const denial = await this.askApproval(turn, call);
    if (denial) return recordResult(turn, call, denial.outcome, 'denied', { decided_by: denial.decidedBy });
    failpoint('tool.after_intent');
    return this.execute(turn, call);
  }

  /** Waits for the approval of a call that needs one. Returns why the call may not start, if it may not. */
  private async askApproval(turn: Turn, call: NamedCall): Promise<Denial | undefined> {
    if (turn.journal.findCall(call.callId)?.mayHaveStarted) return undefined;
    const { session, message, writer, journal, signals } = turn;
    if (readQuestion(message) && this.registry.needsApproval(call.tool))
      return {
        outcome: failure('TOOL_DENIED', { tool: call.tool, reason: NO_APPROVAL }),
        decidedBy: undefined,
      };
    const approval = await this.approvals.request({ session, messageRef: message.messageRef, ...call });
    if (!approval.decision) writer.add(turn.reply.buildToolStatus(describeApproval(approval, call)));
    const { decision, decidedBy } = await this.approvals.waitForDecision(approval, signals.agent);
    if (decision !== 'allow') {
      const reason = decision === 'deny' ? 'a person denied it' : 'it was not approved in time';
      return { outcome: failure('TOOL_DENIED', { tool: call.tool, reason }), decidedBy };
    }
    await writer.record(journal.record({ kind: 'tool_start', body: { callId: call.callId } }));
    return undefined;
  }

  private async execute(turn: Turn, call: NamedCall): Promise<ToolOutcome> {
    const { reply, writer, signals, user } = turn;
    const { callId, tool } = call;
    writer.add(reply.buildToolStatus({ call_id: callId, tool, status: 'running' }));
    const startedAt = this.clock.elapsed();
    const outcome = await this.registry.execute(tool, call.parameters, {
      ...user,
      turn: { messageRef: turn.message.messageRef, chain: readQuestion(turn.message)?.chain ?? [] },
      callId,
      reportProgress: (text) => {
        const detail = toSafeText(text.slice(0, MAX_PROGRESS_LENGTH));
        writer.add(reply.buildToolStatus({ call_id: callId, tool, status: 'progress', detail }));
      },
      signal: signals.agent,
    });
    failpoint('tool.after_effect');
    return recordResult(turn, call, outcome, statusOf(outcome), {
      duration_ms: Math.round(this.clock.elapsed() - startedAt),
    });
  }
}

async function recordIntent({ journal, reply, writer }: Turn, call: NamedCall, needsApproval: boolean): Promise<void> {
  const { callId, tool, parameters } = call;
  await writer.record(
    journal.record({ kind: 'tool_intent', body: { callId, needsApproval, tool, parameters } }),
    reply.buildToolStatus({ call_id: callId, tool, status: 'requested' }),
    reply.buildWholeBlock('tool_call', toSafeJson({ call_id: callId, tool, parameters })),
  );
}

async function recordResult(
  { journal, reply, writer }: Turn,
  { callId, tool }: NamedCall,
  outcome: ToolOutcome,
  status: ToolCallStatus,
  { decided_by, duration_ms }: Partial<Pick<ToolStatusPayload, 'decided_by' | 'duration_ms'>> = {},
): Promise<ToolOutcome> {
  const decider = decided_by === undefined ? {} : { decided_by };
  const content = outcome.ok
    ? outcome.content
    : { code: outcome.code, message: outcome.message, details: outcome.details };
  await writer.record(
    journal.record({ kind: 'tool_result', body: { callId, outcome } }),
    reply.buildToolStatus({
      call_id: callId,
      tool,
      status,
      ...(outcome.ok ? {} : { detail: toSafeText(outcome.message) }),
      ...decider,
      ...(duration_ms === undefined ? {} : { duration_ms }),
    }),
    reply.buildWholeBlock('tool_result', toSafeJson({ call_id: callId, ok: outcome.ok, status, ...decider, content })),
  );
  return outcome;
}

function describeApproval(
  { approvalId, argumentsSha256, expiresAt }: Approval,
  { callId, tool, parameters }: NamedCall,
): Parameters<Turn['reply']['buildToolStatus']>[0] {
  return {
    call_id: callId,
    tool,
    status: 'awaiting_approval',
    approval: {
      approval_id: approvalId,
      arguments: parameters,
      arguments_sha256: argumentsSha256,
      expires_at: expiresAt,
    },
  };
}

function statusOf(outcome: ToolOutcome): ToolCallStatus {
  if (outcome.ok) return 'succeeded';
  if (outcome.code === 'TOOL_DENIED') return 'denied';
  return outcome.code === 'TOOL_TIMEOUT' ? 'timed_out' : 'failed';
}
