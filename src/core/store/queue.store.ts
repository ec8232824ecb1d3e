import type {
  AcceptOutcome,
  CancelOutcome,
  CancelSelector,
  ClaimRequest,
  ClaimResult,
  Lease,
  MessageSelector,
  NewMessage,
  QueueCounts,
  QueueLimits,
  StoredMessage,
} from './records.js';

/**
 * The queue as it is stored. Every call is atomic and durable when it resolves; calls made together may share one commit.
 *
 * All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot commit; then nothing has changed.
 */
export abstract class QueueStore {
  /**
   * Stores a message unless it was stored before; creates its session and makes the sender a participant.
   * A repeat is recognised before any limit is looked at.
   */
  abstract accept(message: NewMessage, limits: QueueLimits): Promise<AcceptOutcome>;

  /**
   * Takes at most `limit` messages to run, one per session without a living lease: an interrupted message of a session
   * first, else the one with the highest priority, then the oldest. Sessions go in the order of (that priority, that
   * message's age), except that after four claims of a higher priority one of a lower that waits gets its turn, so that
   * mentions cannot starve other messages. A session whose message waits for a retry waits with it. Each claim raises the session's epoch.
   */
  abstract claim(request: ClaimRequest): Promise<ClaimResult>;

  /** Extends leases. Resolves with those that are lost, and those whose message is to be cancelled. */
  abstract renew(
    leases: readonly Lease[],
    leaseMs: number,
  ): Promise<{ lost: readonly Lease[]; cancelRequested: readonly Lease[] }>;

  /**
   * Releases a running message: it is the next of its session, from `notBefore` on (at once without it), and its session
   * waits with it. The run does not count as an interruption.
   */
  abstract release(lease: Lease, notBefore?: number): Promise<void>;

  /**
   * Ends waiting messages with a `stream_end` of reason `cancelled`, and marks running ones. A finished message is left
   * alone (empty outcome). Undefined when no such message or session exists.
   */
  abstract cancel(selector: CancelSelector, now: number): Promise<CancelOutcome | undefined>;

  abstract findMessage(selector: MessageSelector): Promise<StoredMessage | undefined>;

  abstract countQueue(activeSince: number): Promise<QueueCounts>;
}
