import type { DurableType, InboundPayload, InboundType, OutboundFrame } from '../protocol/index.js';

/** A frame of a session's log. */
export type DurableFrame = OutboundFrame<DurableType> & { readonly session_id: string; readonly seq: number };

/** Returns a unique id of 128 random bits. (`crypto.randomUUID` is missing on pages served over plain HTTP.) */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The type of a frame that an extension of the gateway serves: `vendor.name`. */
export type ExtensionType = `${string}.${string}`;

/** The payload of a frame type; that of an extension is any object. */
export type PayloadOf<T extends InboundType | ExtensionType> = T extends InboundType ? InboundPayload<T> : object;

/** Encodes a frame for the gateway. */
export function encodeInbound<T extends InboundType | ExtensionType>(
  type: T,
  id: string,
  timestamp: number,
  payload: PayloadOf<T>,
  sessionId?: string,
): string {
  return JSON.stringify({ type, id, timestamp, session_id: sessionId, payload });
}

/** Maximum number of UTF-8 bytes of a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** Returns the number of bytes of a text in UTF-8. It is not exact for a text that cannot exceed `enough` bytes. */
export function countBytes(text: string, enough: number): number {
  return text.length * MAX_BYTES_PER_UNIT <= enough ? text.length : new TextEncoder().encode(text).length;
}

/**
 * Decodes a frame from the gateway, which is trusted to follow the protocol. Returns undefined for anything that is not
 * a frame. Unknown types pass too, because the gateway may be newer.
 */
export function decodeOutbound(text: unknown): OutboundFrame | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const frame: unknown = JSON.parse(text);
    const isFrame = typeof frame === 'object' && frame !== null && 'type' in frame && 'payload' in frame;
    return isFrame ? (frame as OutboundFrame) : undefined;
  } catch {
    return undefined;
  }
}

export function isDurable(frame: OutboundFrame): frame is DurableFrame {
  return frame.seq !== undefined && frame.session_id !== undefined;
}
