import Type, { type Static, type TSchema } from 'typebox';
import { StreamBlock, BlockType } from './blocks.js';
import { CanvasAddressPayload } from './canvas.js';
import { int, messageId, messageRef } from './fields.js';
import {
  EndError,
  EndReason,
  StreamBlockPayload,
  StreamEndPayload,
  StreamRestartPayload,
  ToolStatusPayload,
  Usage,
  type DurableType,
} from './log.js';
import { Attachment, MessageStatus, PresenceStatus, Role, SessionMode } from './messages.js';

export const ConnectedPayload = Type.Object({
  client_id: Type.String(),
  connection_id: Type.String(),
  role: Role,
  scopes: Type.Array(Type.String()),
  protocol: Type.Integer(),
  server: Type.Object({
    version: Type.String(),
    replica_id: Type.String(),
    epoch: Type.String({
      description:
        'Made at every start and kept with the log. A client keeps the epoch under which its newest frame arrived.',
    }),
  }),
  limits: Type.Object({ max_frame_bytes: Type.Integer(), max_queued_per_session: Type.Integer() }),
  heartbeat_interval_ms: Type.Integer(),
  resume_window_ms: Type.Integer(),
  agent: Type.Optional(
    Type.String({ description: 'For clients bound to one user: the ID of the agent that answers now.' }),
  ),
  session_id: Type.Optional(
    Type.String({
      description: "For clients bound to one user: that user's main session with this agent on the channel `webchat`.",
    }),
  ),
});
export type ConnectedPayload = Static<typeof ConnectedPayload>;

export const AckStatus = Type.Enum(['queued', 'duplicate', 'observed']);
export type AckStatus = Static<typeof AckStatus>;

export const MessageAckPayload = Type.Object({
  id: messageId,
  message_ref: messageRef,
  status: AckStatus,
  mode: SessionMode,
  agent: Type.String({ description: 'The ID of the agent of the session.' }),
  priority: int('10 direct mention, 5 reply to the agent, 1 otherwise.'),
  position: int('Waiting messages ahead of it in its session, the running one not counted.'),
});
export type MessageAckPayload = Static<typeof MessageAckPayload>;

export const StreamDeltaPayload = Type.Object({
  message_id: messageId,
  message_ref: messageRef,
  block_id: Type.String(),
  block_type: BlockType,
  delta: Type.String(),
});
export type StreamDeltaPayload = Static<typeof StreamDeltaPayload>;

export const HistoryMessage = Type.Object({
  message_ref: messageRef,
  message_id: messageId,
  sender: Type.String(),
  sender_name: Type.Optional(Type.String()),
  principal: Type.String({ description: 'The principal that sent it: several may speak as one sender.' }),
  content: Type.String(),
  attachments: Type.Array(Attachment),
  canvas: Type.Optional(
    Type.Object(
      { surface_id: Type.String(), action: Type.String() },
      { description: 'What the person did on a surface; `content` is what they pressed.' },
    ),
  ),
  sent_at: Type.Integer(),
  status: MessageStatus,
  agent: Type.String({ description: 'The ID of the agent of the session.' }),
  blocks: Type.Array(StreamBlock, {
    description: 'The standing blocks; of a message that alone exceeds 1 MiB, those that fit.',
  }),
  end: Type.Optional(
    Type.Object({
      reason: EndReason,
      usage: Type.Optional(Usage),
      error: Type.Optional(EndError),
      ended_at: Type.Integer(),
    }),
  ),
  superseded_by: Type.Optional(Type.String({ description: 'The ref of the message that supersedes this one.' })),
});
export type HistoryMessage = Static<typeof HistoryMessage>;

export const HistoryResultPayload = Type.Object({
  messages: Type.Array(HistoryMessage, {
    description: 'Newest last; fewer than requested where the frame would exceed 1 MiB.',
  }),
  next_before: Type.Optional(Type.String({ description: 'Pass it as `before` to read further back.' })),
  head_seq: int('Resume from it to continue live.'),
});
export type HistoryResultPayload = Static<typeof HistoryResultPayload>;

export const ResumedPayload = Type.Object({
  session_id: Type.String(),
  from_seq: Type.Integer({ minimum: 1 }),
  head_seq: int(),
  complete: Type.Boolean({ description: 'False: frames before `from_seq` are past retention and gone.' }),
});
export type ResumedPayload = Static<typeof ResumedPayload>;

export const ErrorFramePayload = Type.Object({
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Boolean(),
  retry_after_ms: Type.Optional(int()),
  details: Type.Optional(Type.Unknown()),
});

export const GoingAwayPayload = Type.Object({
  reason: Type.Enum(['draining', 'restart']),
  reconnect_after_ms: int('Jittered, so that clients do not all reconnect at once.'),
});
export type GoingAwayPayload = Static<typeof GoingAwayPayload>;

export const PresenceChangePayload = Type.Object({
  channel: Type.String(),
  user_id: Type.String(),
  status: PresenceStatus,
  last_seen: Type.Integer({ description: 'Unix milliseconds of the last activity.' }),
});
export type PresenceChangePayload = Static<typeof PresenceChangePayload>;

export const PongPayload = Type.Object({});

export const NodeRegisteredPayload = Type.Object({
  accepted: Type.Array(Type.String(), { description: 'Names of the commands that are tools now.' }),
  waiting: Type.Array(Type.String(), { description: 'Names of changed commands, which an operator has to allow.' }),
  refused: Type.Array(Type.Object({ name: Type.String(), reason: Type.String() })),
  timeouts: Type.Optional(
    Type.Unsafe<Record<string, number>>(
      Type.Object({}, { description: 'By name: time limits that were cut, in milliseconds.' }),
    ),
  ),
});
export type NodeRegisteredPayload = Static<typeof NodeRegisteredPayload>;

export const ToolCallPayload = Type.Object({
  call_id: Type.String({ description: 'The same each time the call is sent. A node never starts a call twice.' }),
  command: Type.String(),
  parameters: Type.Unknown(),
  timeout_ms: int('The node answers within this time, at the latest with the error `TIMEOUT`.'),
  idempotent: Type.Boolean(),
  traceparent: Type.Optional(
    Type.String({ description: 'The W3C trace context of the call, where the gateway makes traces.' }),
  ),
});
export type ToolCallPayload = Static<typeof ToolCallPayload>;

export const ToolCancelPayload = Type.Object({ call_id: Type.String() });
export type ToolCancelPayload = Static<typeof ToolCancelPayload>;

export const ToolResultAckPayload = Type.Object({ call_id: Type.String() });
export const NodeEventAckPayload = Type.Object({ event_id: Type.String() });

/** One outbound frame type. Durable frames have a `seq` and can be read again with `resume`. */
export interface OutboundRow {
  readonly payload: TSchema;
  readonly durable: boolean;
  readonly summary: string;
}

export const outboundTable = {
  connected: { payload: ConnectedPayload, durable: false, summary: 'The first frame of every connection.' },
  message_ack: { payload: MessageAckPayload, durable: false, summary: 'The message is durably stored.' },
  stream_block: { payload: StreamBlockPayload, durable: true, summary: 'One complete block of a reply.' },
  stream_delta: {
    payload: StreamDeltaPayload,
    durable: false,
    summary: 'A piece of a block that is still growing; only with `stream=delta`.',
  },
  stream_restart: { payload: StreamRestartPayload, durable: true, summary: 'Blocks shown before are replaced.' },
  tool_status: { payload: ToolStatusPayload, durable: true, summary: 'The state of a tool call.' },
  stream_end: { payload: StreamEndPayload, durable: true, summary: 'The single end of a message.' },
  history: { payload: HistoryResultPayload, durable: false, summary: 'The response to `history`.' },
  resumed: { payload: ResumedPayload, durable: false, summary: 'The response to `resume`; the frames follow.' },
  presence: {
    payload: PresenceChangePayload,
    durable: false,
    summary: 'To operators that connected with `subscribe=presence`: the changed state.',
  },
  error: { payload: ErrorFramePayload, durable: false, summary: 'A frame was refused; nothing of it was stored.' },
  going_away: { payload: GoingAwayPayload, durable: false, summary: 'The gateway is leaving; reconnect later.' },
  pong: { payload: PongPayload, durable: false, summary: 'The response to `ping`.' },
  canvas_address: { payload: CanvasAddressPayload, durable: false, summary: 'The response to `canvas_open`.' },
  node_registered: { payload: NodeRegisteredPayload, durable: false, summary: 'The response to `node_register`.' },
  tool_call: { payload: ToolCallPayload, durable: false, summary: 'To a device node: run a command.' },
  tool_cancel: {
    payload: ToolCancelPayload,
    durable: false,
    summary: 'To a device node: end a call. Its result confirms that.',
  },
  tool_result_ack: {
    payload: ToolResultAckPayload,
    durable: false,
    summary: 'The result of a call is stored, or no longer wanted; the node need not send it again.',
  },
  node_event_ack: { payload: NodeEventAckPayload, durable: false, summary: 'The event is stored, or was before.' },
} as const satisfies Record<string, OutboundRow> & Record<DurableType, OutboundRow & { readonly durable: true }>;

export type OutboundType = keyof typeof outboundTable;
export type OutboundPayload<T extends OutboundType> = Static<(typeof outboundTable)[T]['payload']>;
export type OutboundFrame<T extends OutboundType = OutboundType> = {
  [K in T]: import('./envelope.js').OutboundEnvelope<K, OutboundPayload<K>>;
}[T];
