import type { ConnectionEvent } from '../core/connections/connection.js';
import type { HistoryEntry, HistoryPage } from '../core/connections/conversation-reader.service.js';
import type { Reply } from '../core/store/index.js';
import type { HistoryMessage, HistoryResultPayload } from '../protocol/index.js';
import { encodeAck, encodeDurableFrame, encodeFrame } from '../protocol/encode.js';
import { encodeOnce, joinFrames } from '../sockets/frame-bytes.js';

/**
 * Encodes an event as a frame, or as the bytes of several. An event for many readers is encoded once, because it is sent to
 * one after the other.
 */
export const encodeEvent = encodeOnce((event: ConnectionEvent): string | Buffer => {
  switch (event.kind) {
    case 'frames':
      return joinFrames(event.frames.map(encodeDurableFrame));
    case 'delta': {
      const { sessionId, messageId, messageRef, blockId, blockType, text } = event;
      const names = { message_id: messageId, message_ref: messageRef };
      const payload = { ...names, block_id: blockId, block_type: blockType, delta: text };
      return encodeFrame('stream_delta', payload, { sessionId, correlationId: messageId });
    }
    case 'accepted': {
      const { requestId: id, status, message, timestamp } = event;
      const { messageRef, sessionId, mode, priority, position } = message;
      return encodeAck({ id, message_ref: messageRef, status, mode, priority, position }, sessionId, timestamp);
    }
    case 'refused':
      return encodeFrame('error', event.error.toPayload(), about(event));
    case 'resumed': {
      const { sessionId, fromSeq, headSeq, isComplete } = event;
      const payload = { session_id: sessionId, from_seq: fromSeq, head_seq: headSeq, complete: isComplete };
      return encodeFrame('resumed', payload, about(event));
    }
    case 'goingAway':
      return encodeFrame('going_away', { reason: 'draining', reconnect_after_ms: event.reconnectAfterMs });
    case 'presence': {
      const { channel, userId, status, lastSeen } = event.state;
      return encodeFrame('presence', { channel, user_id: userId, status, last_seen: lastSeen });
    }
    case 'extension':
      return encodeFrame(event.type, event.payload, about(event));
  }
});

/** Encodes a page of history as the response to the request `requestId`. */
export function encodeHistory(page: HistoryPage, requestId: string): string {
  const { sessionId, entries, headSeq, nextBefore } = page;
  const payload: HistoryResultPayload = {
    messages: entries.map(toHistoryMessage),
    head_seq: headSeq,
    ...(nextBefore === undefined ? {} : { next_before: nextBefore }),
  };
  return encodeFrame('history', payload, { sessionId, correlationId: requestId });
}

function about(event: { requestId?: string | undefined; sessionId?: string | undefined }): {
  correlationId: string | undefined;
  sessionId: string | undefined;
} {
  return { correlationId: event.requestId, sessionId: event.sessionId };
}

function toHistoryMessage({ message, blocks }: HistoryEntry): HistoryMessage {
  const { payload, reply, status } = message;
  return {
    message_ref: message.messageRef,
    message_id: message.messageId,
    sender: payload.sender,
    ...(payload.sender_name === undefined ? {} : { sender_name: payload.sender_name }),
    content: payload.content,
    attachments: payload.attachments ?? [],
    sent_at: message.receivedAt,
    status,
    blocks: [...blocks],
    ...(reply && { end: toHistoryEnd(reply) }),
  };
}

function toHistoryEnd({ reason, endedAt, usage, error }: Reply): HistoryMessage['end'] {
  return { reason, ended_at: endedAt, ...(usage && { usage }), ...(error && { error }) };
}
