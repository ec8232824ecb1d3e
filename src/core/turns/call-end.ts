import type { ToolCallStatus } from '../../protocol/domain.js';
import type { CallStatus } from '../questions/questions.service.js';
import type { NewFrame } from '../store/index.js';
import { toSafeJson, toSafeText } from '../store/safe-text.js';
import type { ToolOutcome } from '../tools/tool.js';
import type { ReplyBuilder } from './reply-builder.js';
import type { EndOfCall, NamedCall } from './turn-journal.js';

/** Returns the last state of a call. */
export function describeOutcome(
  { callId, tool }: Pick<NamedCall, 'callId' | 'tool'>,
  outcome: ToolOutcome,
  { status = statusOf(outcome), decided_by, duration_ms }: EndOfCall = {},
): CallStatus {
  return {
    call_id: callId,
    tool,
    status,
    ...(outcome.ok ? {} : { detail: toSafeText(outcome.message) }),
    ...(decided_by === undefined ? {} : { decided_by }),
    ...(duration_ms === undefined ? {} : { duration_ms }),
  };
}

/** Returns the frames that end a call: its last state, the block of its result, and those of the pictures that it shows. */
export function buildEndOfCall(reply: ReplyBuilder, outcome: ToolOutcome, payload: CallStatus): readonly NewFrame[] {
  const { call_id, status, decided_by } = payload;
  const content = outcome.ok
    ? outcome.content
    : { code: outcome.code, message: outcome.message, details: outcome.details };
  const decider = decided_by === undefined ? {} : { decided_by };
  return [
    reply.buildToolStatus(payload),
    reply.buildWholeBlock('tool_result', toSafeJson({ call_id, ok: outcome.ok, status, ...decider, content })),
    ...(outcome.ok ? (outcome.images ?? []) : []).map(({ mediaId, mimeType, alt }) =>
      reply.buildWholeBlock('image', `/media/${mediaId}`, { mime_type: mimeType, alt: toSafeText(alt) }),
    ),
  ];
}

function statusOf(outcome: ToolOutcome): ToolCallStatus {
  if (outcome.ok) return 'succeeded';
  if (outcome.isUnknown) return 'unknown';
  if (outcome.code === 'TOOL_DENIED') return 'denied';
  return outcome.code === 'TOOL_TIMEOUT' ? 'timed_out' : 'failed';
}
