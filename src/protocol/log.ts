/**
 * The frames of a session's log, stored with their payloads as JSON: the record of a reply, independent of the protocol
 * that transports it.
 */
import Type, { type Static } from 'typebox';
import { StreamBlock } from './blocks.js';
import { int, messageId, messageRef } from './fields.js';

export const StreamBlockPayload = Type.Object({
  message_id: messageId,
  message_ref: messageRef,
  attempt: Type.Integer({ minimum: 1 }),
  index: int('Its index among the standing blocks of this message.'),
  ...StreamBlock.properties,
});
export type StreamBlockPayload = Static<typeof StreamBlockPayload>;

export const StreamRestartPayload = Type.Object({
  message_id: messageId,
  message_ref: messageRef,
  attempt: Type.Integer({ minimum: 2 }),
  replaces_from_seq: Type.Integer({ minimum: 1, description: 'Drop the blocks of this message from that seq on.' }),
});
export type StreamRestartPayload = Static<typeof StreamRestartPayload>;

export const ToolCallStatus = Type.Enum([
  'requested',
  'awaiting_approval',
  'running',
  'progress',
  'succeeded',
  'failed',
  'denied',
  'timed_out',
  'unknown',
]);
export type ToolCallStatus = Static<typeof ToolCallStatus>;

export const ToolStatusPayload = Type.Object({
  message_id: messageId,
  message_ref: messageRef,
  call_id: Type.String(),
  tool: Type.String(),
  status: ToolCallStatus,
  detail: Type.Optional(Type.String()),
  decided_by: Type.Optional(Type.String({ description: 'Who denied the call.' })),
  duration_ms: Type.Optional(int()),
  approval: Type.Optional(
    Type.Object({
      approval_id: Type.String(),
      arguments: Type.Unknown(),
      arguments_sha256: Type.String(),
      expires_at: Type.Integer(),
    }),
  ),
  agent: Type.Optional(
    Type.String({ description: 'The agent that calls, where it is one that the agent of the session has asked.' }),
  ),
});
export type ToolStatusPayload = Static<typeof ToolStatusPayload>;

export const EndReason = Type.Enum(['stop', 'cancelled', 'error', 'merged']);
export type EndReason = Static<typeof EndReason>;

const TokenCounts = { input_tokens: int(), output_tokens: int() };
/** Tokens of a reply. `model` is the model that answered last; `by_model` lists the models if there were several. */
export const Usage = Type.Object({
  ...TokenCounts,
  model: Type.Optional(Type.String()),
  by_model: Type.Optional(Type.Array(Type.Object({ model: Type.String(), ...TokenCounts }))),
});
export type Usage = Static<typeof Usage>;

export const EndError = Type.Object({ code: Type.String(), message: Type.String(), retryable: Type.Boolean() });
export type EndError = Static<typeof EndError>;

export const StreamEndPayload = Type.Object({
  id: messageId,
  message_ref: messageRef,
  reason: EndReason,
  blocks: int('The number of standing blocks at the end.'),
  usage: Type.Optional(Usage),
  error: Type.Optional(EndError),
  merged_into: Type.Optional(Type.String()),
});
export type StreamEndPayload = Static<typeof StreamEndPayload>;

/** The frame types that are stored in a session's log. */
export type DurableType = 'stream_block' | 'stream_restart' | 'tool_status' | 'stream_end';
