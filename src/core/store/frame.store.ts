import type { ClientKey, FramePage, SessionCursor } from './records.js';

/** The session logs, and the delivery cursor of each client. Calls reject with GatewayError STORE_UNAVAILABLE. */
export abstract class FrameStore {
  /**
   * Reads frames after `afterSeq` in order: at most `maxFrames` and about `maxBytes` of payload, but at least one if
   * there is any.
   */
  abstract readFrames(sessionId: string, afterSeq: number, maxFrames: number, maxBytes: number): Promise<FramePage>;

  /** Reads the heads of the sessions that exist. A replica polls this to find frames whose hint was lost. */
  abstract readHeads(sessionIds: readonly string[]): Promise<readonly SessionCursor[]>;

  /** Moves the delivery cursor of (client, session) forward to `seq`, at most to the head, and never back. */
  abstract moveCursor(client: ClientKey, sessionId: string, seq: number): Promise<void>;

  /**
   * Lists the sessions in which a client has frames after its cursor or an unfinished message, with the cursor. A
   * client gets a cursor in a session with its first message there, at the head of that time.
   */
  abstract listResumable(client: ClientKey): Promise<readonly SessionCursor[]>;
}
