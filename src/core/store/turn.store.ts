import type { Done } from './done.js';
import type {
  JoinOutcome,
  JoinWrite,
  Lease,
  MessageWithReply,
  StoredMessage,
  TurnEnd,
  TurnRecord,
  TurnWrite,
  WriteOutcome,
} from './records.js';

/**
 * The writes and reads of a running turn. Writes are fenced by the lease, atomic, and durable when they resolve.
 * All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot commit; then nothing has changed.
 */
export abstract class TurnStore {
  /** Appends frames to the session's log and steps to the message's journal. */
  abstract append(lease: Lease, write: TurnWrite): Promise<WriteOutcome>;

  /** Writes the end of a turn and frees the lease. Expired approvals get their row in the audit trail. */
  abstract finish(lease: Lease, end: TurnEnd): Promise<WriteOutcome>;

  /** Like {@link finish}, with a callback. Callbacks run in the order of the calls. */
  abstract finishThen(lease: Lease, end: TurnEnd, done: Done<WriteOutcome>): void;

  /** Lists the messages of a session that wait and have never run, in the order in which they would run. */
  abstract listWaiting(sessionId: string): Promise<readonly StoredMessage[]>;

  /** Like {@link append}, and also ends messages of {@link listWaiting}, atomically. */
  abstract join(lease: Lease, write: JoinWrite): Promise<JoinOutcome>;

  /** Reads the journal and the frames of an interrupted message. */
  abstract readTurn(messageRef: string): Promise<TurnRecord>;

  /**
   * Reads the agent's context: up to `limit` messages before `beforeRef` since the session's last reset, oldest first,
   * including observed ones, without superseded ones.
   */
  abstract readContext(sessionId: string, beforeRef: string, limit: number): Promise<readonly MessageWithReply[]>;
}
