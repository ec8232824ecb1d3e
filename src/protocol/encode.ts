/**
 * Frames to text, by concatenation where the path is hot. Nothing here validates: what the gateway sends it has made.
 *
 * Names that the gateway makes (session ids, message refs) are put in quotes as they are: they hold no character that
 * JSON escapes. What a client chose goes through JSON.stringify.
 */
import type { DurableType } from './log.js';
import type { MessageAckPayload, OutboundPayload, OutboundType } from './outbound.js';

/** What a durable frame's envelope is made of. */
export interface DurableFrameFields {
  readonly type: DurableType;
  readonly sessionId: string;
  readonly seq: number;
  /** The `id` of the message that it answers, as the sender chose it. */
  readonly messageId: string;
  /** Unix milliseconds. */
  readonly timestamp: number;
  /** JSON text. */
  readonly payload: string;
}

/** What a frame is about; all of it may be missing. */
export interface FrameAbout {
  readonly sessionId?: string | undefined;
  /** The `id` of the inbound frame that it answers. */
  readonly correlationId?: string | undefined;
  /** Unix milliseconds; now when it is missing. */
  readonly timestamp?: number | undefined;
}

/** Told apart from the frames of other processes, and from those of this one before its restart. */
const processName = crypto.randomUUID().slice(0, 13).replace('-', '');
let frames = 0;

/** An id for a frame that no log keeps: unique, and cheap to make. */
function nextId(): string {
  return `g_${processName}_${(frames++).toString(36)}`;
}

/** One frame of a session's log. Its id is derived, so that the same frame has the same id each time it is read. */
export function encodeDurableFrame(frame: DurableFrameFields): string {
  return `{"type":"${frame.type}","id":"f_${frame.sessionId}_${frame.seq}","timestamp":${frame.timestamp},"session_id":"${frame.sessionId}","seq":${frame.seq},"correlation_id":${JSON.stringify(frame.messageId)},"payload":${frame.payload}}`;
}

/**
 * One frame that no log keeps.
 * @typeParam T a type of the protocol, whose payload is then checked; or `vendor.name`, with any payload
 */
export function encodeFrame<T extends OutboundType>(type: T, payload: OutboundPayload<T>, about?: FrameAbout): string;
export function encodeFrame(type: `${string}.${string}`, payload: object, about?: FrameAbout): string;
export function encodeFrame(type: string, payload: unknown, about: FrameAbout = {}): string {
  const session = about.sessionId === undefined ? '' : `"session_id":${JSON.stringify(about.sessionId)},`;
  const correlation =
    about.correlationId === undefined ? '' : `"correlation_id":${JSON.stringify(about.correlationId)},`;
  const head = `{"type":${JSON.stringify(type)},"id":"${nextId()}","timestamp":${about.timestamp ?? Date.now()},`;
  return `${head}${session}${correlation}"payload":${JSON.stringify(payload)}}`;
}

/** A `message_ack`. */
export function encodeAck(ack: MessageAckPayload, sessionId: string, timestamp: number): string {
  const id = JSON.stringify(ack.id);
  return `{"type":"message_ack","id":"${nextId()}","timestamp":${timestamp},"session_id":"${sessionId}","correlation_id":${id},"payload":{"id":${id},"message_ref":"${ack.message_ref}","status":"${ack.status}","mode":"${ack.mode}","priority":${ack.priority},"position":${ack.position}}}`;
}
