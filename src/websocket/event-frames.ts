import type { ConnectionEvent } from '../core/connections/connection.js';
import type { HistoryEntry, HistoryPage } from '../core/connections/history-page.js';
import type { Reply } from '../core/store/index.js';
import type { HistoryMessage } from '../protocol/index.js';
import { encodeAck, encodeDurableFrame, encodeFrame, encodeFrameText } from '../protocol/encode.js';
import { encodeOnce, joinFrames, type EncodedFrames } from '../sockets/frame-bytes.js';
import { encodeNodeNotice } from './node-frames.js';

/** This many frames of an event stay texts: joining them for all readers saves less than the buffer costs. */
const MAX_TEXTS = 4;

/**
 * Encodes an event as a frame, or as several. An event for many readers is encoded once, because it is sent to
 * one after the other.
 */
export const encodeEvent = encodeOnce((event: ConnectionEvent): EncodedFrames => {
  switch (event.kind) {
    case 'frames': {
      const texts = event.frames.map(encodeDurableFrame);
      return texts.length <= MAX_TEXTS ? texts : joinFrames(texts);
    }
    case 'delta': {
      const { sessionId, messageId, messageRef, blockId, blockType, text } = event;
      const names = { message_id: messageId, message_ref: messageRef };
      const payload = { ...names, block_id: blockId, block_type: blockType, delta: text };
      return encodeFrame('stream_delta', payload, { sessionId, correlationId: messageId });
    }
    case 'accepted': {
      const { requestId: id, status, message, timestamp } = event;
      const { messageRef, sessionId, mode, agent, priority, position } = message;
      return encodeAck({ id, message_ref: messageRef, status, mode, agent, priority, position }, sessionId, timestamp);
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
    case 'history':
      return encodeHistory(event.page, event.requestId);
    case 'node':
      return encodeNodeNotice(event);
    case 'extension':
      return encodeFrame(event.type, event.payload, about(event));
  }
});

/** Maximum size of a `history` frame in bytes. Common WebSocket clients close the connection above it. */
export const MAX_HISTORY_BYTES = 1_048_576;
/** Room for the parts of the frame that are not messages, in bytes. */
const HISTORY_ENVELOPE_BYTES = 4_096;

/** Collects messages, newest first, for a `history` frame of at most {@link MAX_HISTORY_BYTES}. */
export class HistoryFrame {
  private readonly newestFirst: string[] = [];
  private room = MAX_HISTORY_BYTES - HISTORY_ENVELOPE_BYTES;

  /** Adds a message. Returns false, and adds nothing, if it does not fit. The first one always fits: it is cut. */
  take(entry: HistoryEntry): boolean {
    const message = toHistoryMessage(entry);
    let text = JSON.stringify(message);
    if (!this.fits(text) && this.newestFirst.length === 0) text = JSON.stringify(cut(message, this.room));
    if (!this.fits(text)) return false;
    this.newestFirst.push(text);
    this.room -= Buffer.byteLength(text) + 1;
    return true;
  }

  /** Encodes the frame as the response to the request `requestId`. `page` is the page of the messages taken. */
  encode({ sessionId, headSeq, nextBefore }: HistoryPage, requestId: string): string {
    const next = nextBefore === undefined ? '' : `,"next_before":${JSON.stringify(nextBefore)}`;
    const payload = `{"messages":[${this.newestFirst.toReversed().join(',')}],"head_seq":${headSeq}${next}}`;
    return encodeFrameText('history', payload, { sessionId, correlationId: requestId });
  }

  private fits(text: string): boolean {
    return Buffer.byteLength(text) < this.room;
  }
}

/** Encodes the newest messages of a page that fit into a frame. */
function encodeHistory(page: HistoryPage, requestId: string): string {
  const frame = new HistoryFrame();
  let { nextBefore } = page;
  let oldest: string | undefined;
  for (const entry of page.entries.toReversed()) {
    if (frame.take(entry)) oldest = entry.message.messageRef;
    else {
      nextBefore = oldest;
      break;
    }
  }
  return frame.encode({ ...page, nextBefore }, requestId);
}

/**
 * Leaves out inline data of attachments, all attachments if their addresses are very long, and the blocks that do not fit
 * into `room` bytes.
 */
function cut(message: HistoryMessage, room: number): HistoryMessage {
  const withoutData = message.attachments.map((attachment) => {
    const bare = { ...attachment };
    delete bare.data;
    return bare;
  });
  // The longest text takes less than the other half.
  const attachments = Buffer.byteLength(JSON.stringify(withoutData)) < room / 2 ? withoutData : [];
  const blocks: HistoryMessage['blocks'] = [];
  let left = room - Buffer.byteLength(JSON.stringify({ ...message, attachments, blocks }));
  for (const block of message.blocks) {
    left -= Buffer.byteLength(JSON.stringify(block)) + 1;
    if (left <= 0) break;
    blocks.push(block);
  }
  return { ...message, attachments, blocks };
}

function about(event: { requestId?: string | undefined; sessionId?: string | undefined }): {
  correlationId: string | undefined;
  sessionId: string | undefined;
} {
  return { correlationId: event.requestId, sessionId: event.sessionId };
}

function toHistoryMessage({ message, agent, blocks }: HistoryEntry): HistoryMessage {
  const { payload, reply, status } = message;
  return {
    message_ref: message.messageRef,
    message_id: message.messageId,
    sender: payload.sender,
    ...(payload.sender_name === undefined ? {} : { sender_name: payload.sender_name }),
    principal: message.client.principal,
    content: payload.content,
    attachments: payload.attachments ?? [],
    ...readAction(payload.metadata?.['canvas']),
    sent_at: message.receivedAt,
    status,
    agent,
    blocks: [...blocks],
    ...(reply && { end: toHistoryEnd(reply) }),
    ...(message.supersededBy !== undefined && { superseded_by: message.supersededBy }),
  };
}

/** The metadata of drivers may hold anything. */
function readAction(canvas: unknown): Pick<HistoryMessage, 'canvas'> {
  const { surface_id, action } = (canvas ?? {}) as { readonly surface_id?: unknown; readonly action?: unknown };
  return typeof surface_id === 'string' && typeof action === 'string' ? { canvas: { surface_id, action } } : {};
}

function toHistoryEnd({ reason, endedAt, usage, error }: Reply): HistoryMessage['end'] {
  return { reason, ended_at: endedAt, ...(usage && { usage }), ...(error && { error }) };
}
