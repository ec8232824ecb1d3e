import type { MessageWithReply, Session, SessionChange, StoredReaction } from './records.js';

/** Sessions and what was said in them. All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer. */
export abstract class SessionStore {
  abstract findSession(sessionId: string): Promise<Session | undefined>;

  /** The most recently used main session of `sender` on one of `channels`. */
  abstract findLatestMain(tenant: string, channels: readonly string[], sender: string): Promise<Session | undefined>;

  /**
   * Changes a session; durable when it resolves. Resolves with undefined when it does not exist. With `actor`, the
   * principal that makes an administrative change, a row of the audit trail is part of the same commit.
   */
  abstract updateSession(sessionId: string, change: SessionChange, actor?: string): Promise<Session | undefined>;

  /** Adds or removes a reaction to a message that exists; repeating it changes nothing. */
  abstract changeReaction(messageRef: string, reaction: StoredReaction, action: 'added' | 'removed'): Promise<void>;

  /**
   * Up to `limit` messages older than `beforeRef` (the newest without it), newest last, finished ones with their reply.
   * What stands so far of a running one is in `TurnStore.readTurn`.
   */
  abstract readHistory(
    sessionId: string,
    limit: number,
    beforeRef?: string,
  ): Promise<{ readonly messages: readonly MessageWithReply[]; readonly more: boolean; readonly headSeq: number }>;
}
