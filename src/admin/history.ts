import type { HistoryEntry } from '../core/connections/history-page.js';
import type { DurableFrame, ListedSession, Session } from '../core/store/index.js';
import type { FieldsOf } from './fields.js';
import type { HistoryItemDto, ListedSessionDto, SessionFrameDto, SessionItemDto } from './sessions.dto.js';

/** Describes a session without its participants, of whom there may be thousands. */
export function toSessionItem(session: Session): FieldsOf<SessionItemDto> {
  return {
    id: session.id,
    tenant: session.tenant,
    mode: session.mode,
    channel: session.channel,
    agent: session.agent,
    key: [...session.keyParts],
    created_at: session.createdAt,
    last_active: session.lastActive,
    tool_permissions: [...session.toolPermissions],
    explicit_activation: session.explicitActivation,
    ...(session.model !== undefined && { model: session.model }),
    head_seq: session.headSeq,
  };
}

/** Describes a session of a list. */
export function toListedSession(session: ListedSession): FieldsOf<ListedSessionDto> {
  const { waiting, runningRef } = session;
  return { ...toSessionItem(session), waiting, ...(runningRef !== undefined && { running_ref: runningRef }) };
}

/** Describes a message with its reply. */
export function toHistoryItem({ message, blocks }: Pick<HistoryEntry, 'message' | 'blocks'>): FieldsOf<HistoryItemDto> {
  const { messageRef, messageId, client, payload, status, priority, receivedAt, reply, reactions, supersededBy } =
    message;
  const { sender, sender_name: senderName, content, attachments } = payload;
  return {
    message_ref: messageRef,
    message_id: messageId,
    principal: client.principal,
    sender,
    ...(senderName !== undefined && { sender_name: senderName }),
    content,
    ...(attachments && { attachments: [...attachments] }),
    status,
    priority,
    received_at: receivedAt,
    blocks: [...blocks],
    ...(reply && {
      end: {
        reason: reply.reason,
        at: reply.endedAt,
        ...(reply.error && { code: reply.error.code, message: reply.error.message }),
        ...(reply.mergedInto !== undefined && { merged_into: reply.mergedInto }),
        ...(reply.usage && { usage: reply.usage }),
      },
    }),
    reactions: reactions.map(({ sender: by, emoji }) => ({ sender: by, emoji })),
    ...(supersededBy !== undefined && { superseded_by: supersededBy }),
  };
}

/** Describes a frame of a session's log. */
export function toFrameItem({ seq, type, messageRef, timestamp, payload }: DurableFrame): FieldsOf<SessionFrameDto> {
  return { seq, type, message_ref: messageRef, timestamp, payload: JSON.parse(payload) as object };
}
