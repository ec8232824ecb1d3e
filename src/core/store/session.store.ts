import type { MessageWithReply, Session, SessionChange, StoredReaction } from './records.js';

/** Sessions and their history. All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer. */
export abstract class SessionStore {
  abstract findSession(sessionId: string): Promise<Session | undefined>;

  /** Resolves with the senders of the session's messages, in no particular order. There may be thousands. */
  abstract listParticipants(sessionId: string): Promise<readonly string[]>;

  /** Resolves with whether a message of `sender` was accepted in the session. */
  abstract isParticipant(sessionId: string, sender: string): Promise<boolean>;

  /** Resolves with the principal that sent the first message of a session; undefined if there is none. */
  abstract findFounder(sessionId: string): Promise<string | undefined>;

  /**
   * Changes a session; durable when it resolves. Resolves with undefined if the session does not exist. `actor` is the
   * principal of an administrative change; with it the same commit adds a row to the audit trail.
   */
  abstract updateSession(sessionId: string, change: SessionChange, actor?: string): Promise<Session | undefined>;

  /**
   * Adds or removes a reaction to an existing message. Idempotent. Resolves with false, and adds nothing, if the message
   * has its maximum: 20 of one sender, 1,000 of all. Without an `emoji`, `removed` removes all reactions of the sender.
   */
  abstract changeReaction(messageRef: string, reaction: StoredReaction, action: 'added' | 'removed'): Promise<boolean>;

  /**
   * Reads up to `limit` messages older than `beforeRef` (the newest without it), newest last, finished ones with their
   * reply. `TurnStore.readTurn` has the blocks of a running one. There may be fewer when they are long; `more` says so.
   */
  abstract readHistory(
    sessionId: string,
    limit: number,
    beforeRef?: string,
  ): Promise<{ readonly messages: readonly MessageWithReply[]; readonly more: boolean; readonly headSeq: number }>;
}
