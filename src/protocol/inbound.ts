import Type, { type Static, type TSchema } from 'typebox';
import { MAX_CONTENT_LENGTH } from './constants.js';
import { text } from './text.js';

export { MAX_CONTENT_LENGTH } from './constants.js';

/** A name on the wire: a channel, a sender, a group, a queue. */
const name = (description: string) => text({ min: 1, max: 256, controls: false }, description);
const strict = { additionalProperties: false } as const;

export const Attachment = Type.Object(
  {
    kind: Type.Enum(['image', 'audio', 'video', 'file']),
    mime_type: Type.Optional(text({ min: 1, max: 256, controls: false })),
    media_id: Type.Optional(name('Of a file that was uploaded by `POST /media`.')),
    url: Type.Optional(text({ min: 1, max: 8_192, controls: false }, 'Never fetched on receipt.')),
    data: Type.Optional(Type.String({ description: 'Base64.', pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
    name: Type.Optional(name('The file name, for people.')),
    size_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  strict,
);
export type Attachment = Static<typeof Attachment>;

export const MessageInPayload = Type.Object(
  {
    channel: name('The messaging platform, for example `telegram` or `webchat`.'),
    sender: name('Who wrote it, as the channel names people.'),
    content: text({ min: 0, max: MAX_CONTENT_LENGTH, controls: true }, 'May be empty only when there are attachments.'),
    sender_name: Type.Optional(name('For people.')),
    group_id: Type.Optional(name('The group chat it was written in; makes the session a group session.')),
    thread_id: Type.Optional(name('The thread of the group.')),
    queue: Type.Optional(name('A named queue; makes the session a queue session.')),
    sender_is_admin: Type.Optional(Type.Boolean({ description: 'Counts from roles channel and operator only.' })),
    is_direct_mention: Type.Optional(Type.Boolean({ description: 'Counts from roles channel and operator only.' })),
    is_reply_to_agent: Type.Optional(Type.Boolean({ description: 'Counts from roles channel and operator only.' })),
    reply_to: Type.Optional(name('The message that this one answers, as the channel names messages.')),
    attachments: Type.Optional(Type.Array(Attachment, { maxItems: 32 })),
    metadata: Type.Optional(
      // Not a record: that would test every key against a pattern, 4 ms for the most that a frame may have.
      Type.Unsafe<Record<string, unknown>>(
        Type.Object({}, { description: 'Free; `traceparent` is the W3C trace context.' }),
      ),
    ),
  },
  strict,
);
export type MessageInPayload = Static<typeof MessageInPayload>;

export const PresenceStatus = Type.Enum(['online', 'typing', 'idle', 'offline']);
export type PresenceStatus = Static<typeof PresenceStatus>;

export const PresencePayload = Type.Object(
  { channel: name('Where.'), user_id: name('Who.'), status: PresenceStatus },
  strict,
);
export type PresencePayload = Static<typeof PresencePayload>;

export const ReactionPayload = Type.Object(
  {
    channel: name('Where.'),
    sender: name('Who.'),
    message_id: name('The message reacted to.'),
    emoji: text({ min: 1, max: 64, controls: false }),
    action: Type.Enum(['added', 'removed']),
  },
  strict,
);
export type ReactionPayload = Static<typeof ReactionPayload>;

export const ChannelStatusPayload = Type.Object(
  {
    channel: name('Which.'),
    status: Type.Enum(['connecting', 'connected', 'disconnected', 'error']),
    detail: Type.Optional(text({ min: 0, max: 1_024, controls: true })),
  },
  strict,
);
export type ChannelStatusPayload = Static<typeof ChannelStatusPayload>;

const seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const sessionId = text({ min: 1, max: 128, controls: false });

export const ResumePayload = Type.Object(
  {
    sessions: Type.Optional(
      Type.Array(Type.Object({ session_id: sessionId, after_seq: seq }, strict), {
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
    message_ref: Type.Optional(text({ min: 1, max: 128, controls: false }, "The gateway's name of the message.")),
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
      description: 'Of the arguments that were shown: the decision is for exactly these.',
    }),
  },
  strict,
);
export type ApprovalPayload = Static<typeof ApprovalPayload>;

export const PingPayload = Type.Object({}, strict);
export type PingPayload = Static<typeof PingPayload>;

/** What a client may send: its payload, and the scope that it takes (none for `ping`). */
export interface InboundRow {
  readonly payload: TSchema;
  readonly scope: Scope | undefined;
  readonly summary: string;
}

/** What a credential may be allowed to do (protocol.md section 3). */
export const SCOPES = [
  'messages:write',
  'presence:write',
  'channels:write',
  'sessions:read',
  'nodes:serve',
  'admin:read',
  'admin:write',
  'config:write',
  'tools:call',
  'tokens:write',
  'audit:read',
] as const;
export type Scope = (typeof SCOPES)[number];

export const inboundTable = {
  message_in: {
    payload: MessageInPayload,
    scope: 'messages:write',
    summary: 'A message of a person; answered by message_ack, then the reply stream.',
  },
  presence: {
    payload: PresencePayload,
    scope: 'presence:write',
    summary: 'Somebody is online, typing, idle or offline.',
  },
  reaction: { payload: ReactionPayload, scope: 'messages:write', summary: 'Somebody reacted to a message.' },
  channel_status: {
    payload: ChannelStatusPayload,
    scope: 'channels:write',
    summary: 'A channel driver tells how its platform connection is.',
  },
  resume: {
    payload: ResumePayload,
    scope: 'sessions:read',
    summary: 'Go on reading sessions after a seq; answered by one `resumed` each.',
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
    summary: 'Decides on a tool call that waits for a person; answered by tool_status.',
  },
  ping: { payload: PingPayload, scope: undefined, summary: 'Answered by `pong`.' },
} as const satisfies Record<string, InboundRow>;

export type InboundType = keyof typeof inboundTable;
export type InboundPayload<T extends InboundType> = Static<(typeof inboundTable)[T]['payload']>;

/** Types of the protocol whose feature this gateway does not have yet: they are refused by name. */
export const laterInboundTypes: Readonly<Record<string, string>> = {
  node_register: 'device nodes are not part of this version',
  tool_result: 'device nodes are not part of this version',
  node_event: 'device nodes are not part of this version',
};
