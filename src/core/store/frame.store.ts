import type { ClientKey, FramePage, SessionCursor } from './records.js';

/** The session logs, and how far each client has confirmed them. Rejects with GatewayError STORE_UNAVAILABLE. */
export abstract class FrameStore {
  /** Frames after `afterSeq` in order, at most `maxFrames` and about `maxBytes` of payload, but at least one if there is any. */
  abstract readFrames(sessionId: string, afterSeq: number, maxFrames: number, maxBytes: number): Promise<FramePage>;

  /** The heads of those sessions that exist: how a replica notices frames whose hint was lost. */
  abstract readHeads(sessionIds: readonly string[]): Promise<readonly SessionCursor[]>;

  /** Moves the delivery cursor of (client, session) forward to `seq`; never back, never beyond the head. */
  abstract moveCursor(client: ClientKey, sessionId: string, seq: number): Promise<void>;

  /**
   * The sessions of a client that have frames after its cursor or an unfinished message of its own, with that cursor.
   * A client has a cursor in every session that it sent a message to, from the head it had then.
   */
  abstract listResumable(client: ClientKey): Promise<readonly SessionCursor[]>;
}
