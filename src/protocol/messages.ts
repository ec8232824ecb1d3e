/**
 * Messages in conversations and the principals that write them: the part of the contract that does not depend on
 * frames.
 */
import Type, { type Static } from 'typebox';
import { MAX_CONTENT_LENGTH } from './constants.js';
import { name } from './fields.js';
import { text } from './text.js';

export { MAX_CONTENT_LENGTH } from './constants.js';

const strict = { additionalProperties: false } as const;

export const Attachment = Type.Object(
  {
    kind: Type.Enum(['image', 'audio', 'video', 'file']),
    mime_type: Type.Optional(text({ min: 1, max: 256, controls: false })),
    media_id: Type.Optional(name('The id of a file uploaded with `POST /media`.')),
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
    sender: name('The id of the author, as the channel names people.'),
    content: text({ min: 0, max: MAX_CONTENT_LENGTH, controls: true }, 'May be empty only when there are attachments.'),
    sender_name: Type.Optional(name('The display name.')),
    group_id: Type.Optional(name('The group chat it was written in; makes the session a group session.')),
    thread_id: Type.Optional(name('The thread of the group.')),
    queue: Type.Optional(name('A named queue; makes the session a queue session.')),
    sender_is_admin: Type.Optional(Type.Boolean({ description: 'Counts from roles channel and operator only.' })),
    is_direct_mention: Type.Optional(Type.Boolean({ description: 'Counts from roles channel and operator only.' })),
    is_reply_to_agent: Type.Optional(Type.Boolean({ description: 'Counts from roles channel and operator only.' })),
    observe: Type.Optional(
      Type.Boolean({
        description:
          'Keep it as context, without a reply, also if it is a command. Counts from roles channel and operator only.',
      }),
    ),
    reply_to: Type.Optional(name('The message that this one replies to, by its id on the channel.')),
    supersedes: Type.Optional(
      name(
        'The `message_ref` of an ended or waiting message of the same sender in the same session. It, and in a main session all after it, leave the context of the agent.',
      ),
    ),
    attachments: Type.Optional(Type.Array(Attachment, { maxItems: 32 })),
    metadata: Type.Optional(
      // Not a record: that would test every key against a pattern, 4 ms for the largest allowed frame.
      Type.Unsafe<Record<string, unknown>>(
        Type.Object({}, { description: 'Free-form; `traceparent` is the W3C trace context.' }),
      ),
    ),
  },
  strict,
);
export type MessageInPayload = Static<typeof MessageInPayload>;

export const PresenceStatus = Type.Enum(['online', 'typing', 'idle', 'offline']);
export type PresenceStatus = Static<typeof PresenceStatus>;

export const SessionMode = Type.Enum(['main', 'group', 'queue']);
export type SessionMode = Static<typeof SessionMode>;

export const MessageStatus = Type.Enum(['queued', 'running', 'done', 'cancelled', 'failed', 'observed']);
export type MessageStatus = Static<typeof MessageStatus>;

/** The kinds of principal of a credential. */
export const Role = Type.Enum(['channel', 'user', 'node', 'operator']);
export type Role = Static<typeof Role>;

/** The permissions that a credential can have (protocol.md section 3). */
export const SCOPES = [
  'messages:write',
  'presence:write',
  'channels:write',
  'sessions:read',
  'nodes:serve',
  'admin:read',
  'admin:write',
  'config:write',
  'config:dangerous',
  'tools:call',
  'tokens:write',
  'audit:read',
  'metrics:read',
] as const;
export type Scope = (typeof SCOPES)[number];
