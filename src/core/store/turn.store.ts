import type { Lease, MessageWithReply, TurnEnd, TurnRecord, TurnWrite, WriteOutcome } from './records.js';

/**
 * What a running turn writes and reads. Writes are fenced by the lease, atomic, and durable when they resolve.
 * All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot commit; then nothing has changed.
 */
export abstract class TurnStore {
  /** Appends frames to the session's log and steps to the message's journal. */
  abstract append(lease: Lease, write: TurnWrite): Promise<WriteOutcome>;

  /** The last write of a turn; frees the lease. */
  abstract finish(lease: Lease, end: TurnEnd): Promise<WriteOutcome>;

  /** Journal and frames of a message that was interrupted. */
  abstract readTurn(messageRef: string): Promise<TurnRecord>;

  /**
   * Up to `limit` messages before `beforeRef` since the session's last reset, oldest first, observed ones included:
   * what the agent may know of the conversation.
   */
  abstract readContext(sessionId: string, beforeRef: string, limit: number): Promise<readonly MessageWithReply[]>;
}
