import type { ClientKey, FollowedPosition, FramePage, SessionCursor } from './records.js';

/** The session logs, and the delivery cursor of each client. Calls reject with GatewayError STORE_UNAVAILABLE. */
export abstract class FrameStore {
  /**
   * Reads frames after `afterSeq` in order: at most `maxFrames` and about `maxBytes` of payload, but at least one if
   * there is any. Frames, head and first seq are of one snapshot.
   */
  abstract readFrames(sessionId: string, afterSeq: number, maxFrames: number, maxBytes: number): Promise<FramePage>;

  /**
   * Returns whether a client that got frame `seq` of a session while {@link Store.logEpoch} was `epoch` got it from this
   * log. False if the frame does not exist, or was written in another start than the one of that name or those before it.
   * A `seq` of 0 is in every log.
   */
  abstract hasFrame(sessionId: string, seq: number, epoch: string): Promise<boolean>;

  /** Reads the heads of the sessions that exist. A replica polls this to find frames whose hint was lost. */
  abstract readHeads(sessionIds: readonly string[]): Promise<readonly SessionCursor[]>;

  /** Moves the delivery cursor of (client, session) forward to `seq`, at most to the head, and never back. */
  abstract moveCursor(client: ClientKey, sessionId: string, seq: number): Promise<void>;

  /**
   * Lists the sessions in which a client has frames after its cursor or an unfinished message, with the cursor. A
   * client gets a cursor in a session with its first message there, at the head of that time.
   * @param channels the channels that the client follows. Where it has no cursor in one of their sessions, the frames after
   * its first connect count.
   */
  abstract listResumable(client: ClientKey, channels?: readonly string[]): Promise<readonly SessionCursor[]>;

  /**
   * Notes that a client that follows channels connects. Its first connect is the start of what it can read of sessions to
   * which it sends nothing; in the others its cursor starts there too. A client that has nothing else is forgotten in time.
   */
  abstract noteFollower(client: ClientKey): Promise<void>;

  /** Returns where a client that follows channels reads a session, and the head, of one snapshot. */
  abstract findPosition(client: ClientKey, sessionId: string): Promise<FollowedPosition>;
}
