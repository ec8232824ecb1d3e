import { failpoint } from '../failpoints/failpoint.js';
import type { Session } from '../store/index.js';
import { failure, type ToolRegistryService } from '../tools/tool-registry.service.js';
import type { ToolOutcome } from '../tools/tool.js';
import type { Clock } from '../time/clock.js';
import type { ToolCallStatus } from '../../protocol/index.js';
import type { RequestedCall } from './agent-runtime.js';
import type { ReplyBuilder } from './reply-builder.js';
import type { TurnJournal } from './turn-journal.js';
import type { TurnWriter } from './turn-writer.js';

/**
 * The tool calls of one turn. The intent is durable before the tool starts, the result before it is used; a call whose
 * outcome a crash has hidden runs again only if its tool says that it may, and ends as `unknown` otherwise.
 */
export class ToolSteps {
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly session: Session,
    private readonly journal: TurnJournal,
    private readonly writer: TurnWriter,
    private readonly reply: ReplyBuilder,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {}

  /** Runs a call once and for all. @throws LeaseLostError */
  async call(answer: number, index: number, call: RequestedCall): Promise<ToolOutcome> {
    const callId = this.journal.buildCallId(answer, index);
    const recorded = this.journal.findCall(callId);
    if (recorded?.outcome) return recorded.outcome;
    if (recorded && !this.registry.find(call.tool)?.idempotent) {
      const outcome = failure('TOOL_FAILED', {
        tool: call.tool,
        reason: 'a crash hid its outcome; it may have taken effect and is not run again',
      });
      return this.recordResult(callId, call.tool, outcome, 'unknown');
    }
    if (!recorded) await this.recordIntent(callId, call);
    failpoint('tool.after_intent');
    return this.execute(callId, call);
  }

  private async recordIntent(callId: string, call: RequestedCall): Promise<void> {
    const block = JSON.stringify({ call_id: callId, tool: call.tool, parameters: call.parameters });
    await this.writer.record(
      this.journal.record({ kind: 'tool_intent', body: { callId, ...call } }),
      this.reply.buildToolStatus({ call_id: callId, tool: call.tool, status: 'requested' }),
      this.reply.buildWholeBlock('tool_call', block),
    );
  }

  private async execute(callId: string, call: RequestedCall): Promise<ToolOutcome> {
    const refusal = this.registry.refuse(call.tool, call.parameters, this.session);
    if (refusal) return this.recordResult(callId, call.tool, refusal, refusal.ok ? 'succeeded' : statusOf(refusal.code));
    this.writer.add(this.reply.buildToolStatus({ call_id: callId, tool: call.tool, status: 'running' }));
    const startedAt = this.clock.now();
    const context = { callId, session: this.session, signal: this.signal };
    const outcome = await this.registry.execute(call.tool, call.parameters, context);
    failpoint('tool.after_effect');
    return this.recordResult(callId, call.tool, outcome, outcome.ok ? 'succeeded' : statusOf(outcome.code), this.clock.now() - startedAt);
  }

  private async recordResult(
    callId: string,
    tool: string,
    outcome: ToolOutcome,
    status: ToolCallStatus,
    durationMs?: number,
  ): Promise<ToolOutcome> {
    const content = outcome.ok ? outcome.content : { code: outcome.code, message: outcome.message, details: outcome.details };
    await this.writer.record(
      this.journal.record({ kind: 'tool_result', body: { callId, outcome } }),
      this.reply.buildToolStatus({
        call_id: callId,
        tool,
        status,
        ...(outcome.ok ? {} : { detail: outcome.message }),
        ...(durationMs === undefined ? {} : { duration_ms: durationMs }),
      }),
      this.reply.buildWholeBlock('tool_result', JSON.stringify({ call_id: callId, ok: outcome.ok, content })),
    );
    return outcome;
  }
}

function statusOf(code: Extract<ToolOutcome, { ok: false }>['code']): ToolCallStatus {
  if (code === 'TOOL_DENIED') return 'denied';
  return code === 'TOOL_TIMEOUT' ? 'timed_out' : 'failed';
}
