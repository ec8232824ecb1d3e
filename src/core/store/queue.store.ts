import type { Done } from './done.js';
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
 * The stored queue. Every call is atomic, and durable when it resolves; concurrent calls may share one commit.
 *
 * All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot commit; then nothing has changed.
 */
export abstract class QueueStore {
  /**
   * Stores a message unless it is a duplicate; creates its session and makes the sender a participant. Duplicates have
   * the same client and id, and must have the same payload, whatever the order of keys, and name no other session; the
   * one that their payload determines does not count, because it may change. They are recognised before limits are checked. A message that does not address the agent is queued if the session has
   * explicit activation at the commit and the payload does not say `observe`, else observed; limits do not apply to an
   * observed one.
   *
   * The message that `payload.supersedes` names must have ended, or wait without having run; then it ends as `cancelled`
   * in this commit. It, and in mode `main` all after it, are marked as superseded and leave the agent's context.
   */
  abstract accept(message: NewMessage, limits: QueueLimits): Promise<AcceptOutcome>;

  /** Like {@link accept}, with a callback. Callbacks run in the order of the calls. */
  abstract acceptThen(message: NewMessage, limits: QueueLimits, done: Done<AcceptOutcome>): void;

  /**
   * Claims at most `limit` messages to run, one for each session without a live lease: an interrupted message first,
   * else the one with the highest priority, then the oldest. Sessions are served in the order of (that priority, that
   * message's age), except that after four claims of a higher priority a waiting one of a lower priority is claimed, so
   * that mentions cannot starve other messages. A session whose message waits for a retry waits too. Each claim raises
   * the session's epoch. It takes effect after all calls of the same tick, so that it claims what they accept and free.
   */
  abstract claim(request: ClaimRequest): Promise<ClaimResult>;

  /** Extends leases. Resolves with the leases that are lost, and those whose message is to be cancelled. */
  abstract renew(
    leases: readonly Lease[],
    leaseMs: number,
  ): Promise<{ lost: readonly Lease[]; cancelRequested: readonly Lease[] }>;

  /**
   * Releases a running message: it stays the next one of its session and may run from `notBefore` on, or immediately
   * without it. The run does not count as an interruption.
   */
  abstract release(lease: Lease, notBefore?: number): Promise<void>;

  /**
   * Ends waiting messages with a `stream_end` of reason `cancelled`, and marks running ones. Does nothing to a finished
   * message (empty outcome). Resolves with undefined if no such message or session exists. `actor` is the principal of an
   * administrative change; with it the same commit adds a row to the audit trail for each message.
   */
  abstract cancel(selector: CancelSelector, now: number, actor?: string): Promise<CancelOutcome | undefined>;

  abstract findMessage(selector: MessageSelector): Promise<StoredMessage | undefined>;

  abstract countQueue(activeSince: number): Promise<QueueCounts>;
}
