import Type, { type Static, type TSchema } from 'typebox';
import { CanvasOpenPayload, CanvasProblemPayload, CanvasStatePayload } from './canvas.js';
import { name } from './fields.js';
import { MessageInPayload, PresenceStatus, type Scope } from './messages.js';
import { NodeEventPayload, NodeRegisterPayload, ToolResultPayload } from './nodes.js';
import { text } from './text.js';

const strict = { additionalProperties: false } as const;

export const PresencePayload = Type.Object(
  { channel: name('The channel.'), user_id: name('The user.'), status: PresenceStatus },
  strict,
);
export type PresencePayload = Static<typeof PresencePayload>;

export const ReactionPayload = Type.Object(
  {
    channel: name('The channel.'),
    sender: name('The person who reacted.'),
    message_id: name('The message reacted to.'),
    emoji: text(
      { min: 0, max: 64, controls: false },
      'One emoji or its `:name:`. Empty with action `removed`: all reactions of the sender to the message.',
    ),
    action: Type.Enum(['added', 'removed']),
  },
  strict,
);
export type ReactionPayload = Static<typeof ReactionPayload>;

export const ChannelStatusPayload = Type.Object(
  {
    channel: name('The channel.'),
    status: Type.Enum(['connecting', 'connected', 'disconnected', 'error']),
    detail: Type.Optional(text({ min: 0, max: 1_024, controls: true })),
  },
  strict,
);
export type ChannelStatusPayload = Static<typeof ChannelStatusPayload>;

const seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const sessionId = text({ min: 1, max: 128, controls: false });

const epoch = text(
  { min: 1, max: 64, controls: false },
  'The `server.epoch` under which the frame `after_seq` arrived. It distinguishes a log from an older copy of it.',
);

export const ResumePayload = Type.Object(
  {
    sessions: Type.Optional(
      Type.Array(Type.Object({ session_id: sessionId, after_seq: seq, epoch: Type.Optional(epoch) }, strict), {
        maxItems: 1_000,
        description:
          'Empty or missing: every session of this client with frames after its delivered cursor or an unfinished message.',
      }),
    ),
  },
  strict,
);
export type ResumePayload = Static<typeof ResumePayload>;

export const DeliveredPayload = Type.Object({ session_id: sessionId, seq }, strict);
export type DeliveredPayload = Static<typeof DeliveredPayload>;

export const HistoryPayload = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200 }),
    before: Type.Optional(text({ min: 1, max: 128, controls: false })),
  },
  strict,
);
export type HistoryPayload = Static<typeof HistoryPayload>;

export const CancelPayload = Type.Object(
  {
    message_ref: Type.Optional(text({ min: 1, max: 128, controls: false }, "The gateway's reference to the message.")),
    message_id: Type.Optional(text({ min: 1, max: 128, controls: false }, 'The id under which this client sent it.')),
  },
  strict,
);
export type CancelPayload = Static<typeof CancelPayload>;

export const ApprovalPayload = Type.Object(
  {
    approval_id: text({ min: 1, max: 128, controls: false }),
    decision: Type.Enum(['allow', 'deny']),
    arguments_sha256: Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: 'The hash of the arguments that were shown; the decision applies to exactly these.',
    }),
  },
  strict,
);
export type ApprovalPayload = Static<typeof ApprovalPayload>;

export const PingPayload = Type.Object({}, strict);
export type PingPayload = Static<typeof PingPayload>;

/** One inbound frame type: its payload, and the scope it requires (none for `ping`). */
export interface InboundRow {
  readonly payload: TSchema;
  readonly scope: Scope | undefined;
  readonly summary: string;
}

export const inboundTable = {
  message_in: {
    payload: MessageInPayload,
    scope: 'messages:write',
    summary: 'A message of a person; answered by message_ack, then the reply stream.',
  },
  presence: {
    payload: PresencePayload,
    scope: 'presence:write',
    summary: 'A user is online, typing, idle or offline.',
  },
  reaction: { payload: ReactionPayload, scope: 'messages:write', summary: 'A user reacted to a message.' },
  channel_status: {
    payload: ChannelStatusPayload,
    scope: 'channels:write',
    summary: 'A channel driver reports the state of its platform connection.',
  },
  resume: {
    payload: ResumePayload,
    scope: 'sessions:read',
    summary:
      'Continues reading sessions after a seq; answered by one `resumed` per session. Without a list it covers the sessions ' +
      'with frames after the delivered cursor; for a driver whose credential lists its channels, all sessions of these ' +
      'channels with such frames since its first connect. Their frames reach it while it is connected, too.',
  },
  delivered: {
    payload: DeliveredPayload,
    scope: 'sessions:read',
    summary: 'Moves the durable delivery cursor of (client, session).',
  },
  history: {
    payload: HistoryPayload,
    scope: 'sessions:read',
    summary: 'Earlier messages of a session, with their replies.',
  },
  cancel: {
    payload: CancelPayload,
    scope: 'messages:write',
    summary: "Ends a message, or with session_id alone all of the session's.",
  },
  approval: {
    payload: ApprovalPayload,
    scope: 'messages:write',
    summary:
      'Decides on a tool call that waits for a person; answered by tool_status, which goes to who reads the session.',
  },
  ping: { payload: PingPayload, scope: undefined, summary: 'Answered by `pong`.' },
  canvas_state: {
    payload: CanvasStatePayload,
    scope: 'messages:write',
    summary: 'What a person has entered on a surface so far; at most one in 500 ms.',
  },
  canvas_problem: {
    payload: CanvasProblemPayload,
    scope: 'messages:write',
    summary: 'Reports to the agent that its surface cannot be drawn as it means it. At most 5 for a version.',
  },
  canvas_open: {
    payload: CanvasOpenPayload,
    scope: 'messages:write',
    summary: 'Asks for the address of a page that the agent drew; answered by `canvas_address`.',
  },
  node_register: {
    payload: NodeRegisterPayload,
    scope: 'nodes:serve',
    summary: 'A device node offers its commands as tools; answered by `node_registered`.',
  },
  tool_result: {
    payload: ToolResultPayload,
    scope: 'nodes:serve',
    summary: 'The result of a `tool_call`; answered by `tool_result_ack`.',
  },
  node_event: {
    payload: NodeEventPayload,
    scope: 'nodes:serve',
    summary: 'Something happened at a node, or a call makes progress; answered by `node_event_ack`.',
  },
} as const satisfies Record<string, InboundRow>;

export type InboundType = keyof typeof inboundTable;
export type InboundPayload<T extends InboundType> = Static<(typeof inboundTable)[T]['payload']>;
