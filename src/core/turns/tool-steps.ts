import type { ApprovalsService } from '../approvals/approvals.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import type { Approval } from '../store/index.js';
import { failure, type ToolRegistryService, type ToolUser } from '../tools/tool-registry.service.js';
import type { ToolOutcome } from '../tools/tool.js';
import type { Clock } from '../time/clock.js';
import type { ToolCallStatus } from '../../protocol/domain.js';
import type { RequestedCall } from './agent-runtime.js';
import type { ReplyBuilder } from './reply-builder.js';
import { toSafeJson, toSafeText } from './safe-text.js';
import type { TurnJournal } from './turn-journal.js';
import type { TurnWriter } from './turn-writer.js';

/** What the tool calls of a turn use. */
export interface ToolStepParts {
  readonly registry: ToolRegistryService;
  readonly approvals: ApprovalsService;
  readonly journal: TurnJournal;
  readonly writer: TurnWriter;
  readonly reply: ReplyBuilder;
  readonly clock: Clock;
}

/**
 * The tool calls of one turn. The intent is durable before the tool starts, the result before it is used; a call whose
 * outcome a crash has hidden runs again only if its tool says that it may, and ends as `unknown` otherwise. A call that
 * needs an approval starts only with a recorded one.
 */
export class ToolSteps {
  constructor(
    private readonly parts: ToolStepParts,
    private readonly user: ToolUser,
    private readonly messageRef: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Runs a call once and for all. @throws LeaseLostError */
  async call(answer: number, index: number, call: RequestedCall): Promise<ToolOutcome> {
    const { journal, registry } = this.parts;
    const callId = journal.buildCallId(answer, index);
    const recorded = journal.findCall(callId);
    if (recorded?.outcome) return recorded.outcome;
    if (recorded?.mayHaveStarted && !registry.find(call.tool)?.idempotent) {
      const outcome = failure('TOOL_FAILED', {
        tool: call.tool,
        reason: 'a crash hid its outcome; it may have taken effect and is not run again',
      });
      return this.recordResult(callId, call.tool, outcome, 'unknown');
    }
    const refusal =
      (await registry.awaitTool(call.tool, this.signal)) ?? registry.refuse(call.tool, call.parameters, this.user);
    const needsApproval = recorded?.needsApproval ?? (!refusal && registry.needsApproval(call.tool));
    if (!recorded) await this.recordIntent(callId, call, needsApproval);
    if (refusal) return this.recordResult(callId, call.tool, refusal, statusOf(refusal));
    if (needsApproval && !recorded?.mayHaveStarted) {
      const denial = await this.askApproval(callId, call);
      if (denial) return this.recordResult(callId, call.tool, denial, 'denied');
    }
    failpoint('tool.after_intent');
    return this.execute(callId, call);
  }

  private async recordIntent(callId: string, call: RequestedCall, needsApproval: boolean): Promise<void> {
    const { journal, reply, writer } = this.parts;
    const block = toSafeJson({ call_id: callId, tool: call.tool, parameters: call.parameters });
    await writer.record(
      journal.record({ kind: 'tool_intent', body: { callId, needsApproval, ...call } }),
      reply.buildToolStatus({ call_id: callId, tool: call.tool, status: 'requested' }),
      reply.buildWholeBlock('tool_call', block),
    );
  }

  /** Waits for a person. Answers why the call may not start, or undefined once its start is recorded. */
  private async askApproval(callId: string, call: RequestedCall): Promise<ToolOutcome | undefined> {
    const { approvals, journal, writer } = this.parts;
    const { session } = this.user;
    const approval = await approvals.request({ session, messageRef: this.messageRef, callId, ...call });
    if (!approval.decision) this.tellApproval(approval, call);
    const decision = await approvals.waitForDecision(approval, this.signal);
    if (decision !== 'allow') {
      const reason = decision === 'deny' ? 'a person denied it' : 'nobody approved it in time';
      return failure('TOOL_DENIED', { tool: call.tool, reason });
    }
    await writer.record(journal.record({ kind: 'tool_start', body: { callId } }));
    return undefined;
  }

  private tellApproval({ approvalId, argumentsSha256, expiresAt, callId }: Approval, call: RequestedCall): void {
    const approval = {
      approval_id: approvalId,
      arguments: call.parameters,
      arguments_sha256: argumentsSha256,
      expires_at: expiresAt,
    };
    this.parts.writer.add(
      this.parts.reply.buildToolStatus({ call_id: callId, tool: call.tool, status: 'awaiting_approval', approval }),
    );
  }

  private async execute(callId: string, call: RequestedCall): Promise<ToolOutcome> {
    const { clock, registry, reply, writer } = this.parts;
    writer.add(reply.buildToolStatus({ call_id: callId, tool: call.tool, status: 'running' }));
    const startedAt = clock.now();
    const reportProgress = (detail: string) =>
      writer.add(
        reply.buildToolStatus({
          call_id: callId,
          tool: call.tool,
          status: 'progress',
          detail: toSafeText(detail.slice(0, 1_024)),
        }),
      );
    const outcome = await registry.execute(call.tool, call.parameters, {
      ...this.user,
      callId,
      reportProgress,
      signal: this.signal,
    });
    failpoint('tool.after_effect');
    return this.recordResult(callId, call.tool, outcome, statusOf(outcome), clock.now() - startedAt);
  }

  private async recordResult(
    callId: string,
    tool: string,
    outcome: ToolOutcome,
    status: ToolCallStatus,
    durationMs?: number,
  ): Promise<ToolOutcome> {
    const { journal, reply, writer } = this.parts;
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
        ...(durationMs === undefined ? {} : { duration_ms: durationMs }),
      }),
      reply.buildWholeBlock('tool_result', toSafeJson({ call_id: callId, ok: outcome.ok, content })),
    );
    return outcome;
  }
}

function statusOf(outcome: ToolOutcome): ToolCallStatus {
  if (outcome.ok) return 'succeeded';
  if (outcome.code === 'TOOL_DENIED') return 'denied';
  return outcome.code === 'TOOL_TIMEOUT' ? 'timed_out' : 'failed';
}
