import type { MessageStatus, SessionMode } from '../../protocol/domain.js';
import type { Approval, ApprovalDecision } from './approval.store.js';
import type { OutboxPart } from './channel.store.js';
import type { DurableFrame, MessageWithReply, Priority, RecordedStep, Session } from './records.js';

/** Selects messages that wait to be answered. */
export interface WaitingQuery {
  /** Or `ALL_TENANTS`. */
  readonly tenant: string;
  /** Only those of these channels; by default of all. */
  readonly channels?: readonly string[] | undefined;
  /** Only those of one session. */
  readonly sessionId?: string | undefined;
  /** The `next` of the page before. */
  readonly after?: number | undefined;
  readonly limit: number;
}

/** A message that waits. */
export interface WaitingRow {
  readonly messageRef: string;
  readonly sessionId: string;
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
  readonly priority: Priority;
  /** Number of waiting messages ahead of it in its session. */
  readonly position: number;
  readonly receivedAt: number;
  /** The message of its session that runs now. */
  readonly runningRef?: string;
}

/** A page of waiting messages, oldest first, with the counts of all that the query's tenant covers. */
export interface WaitingPage {
  readonly items: readonly WaitingRow[];
  /** Present if there are more. */
  readonly next?: number;
  readonly waiting: number;
  readonly running: number;
  /** When the oldest waiting message was received; absent if none waits. */
  readonly oldestAt?: number;
}

/** The records of one message, without those that retention has deleted. */
export interface MessageLife {
  readonly message: MessageWithReply;
  readonly status: MessageStatus;
  /** The tenant of its session. */
  readonly tenant: string;
  readonly channel: string;
  /** The agent of its session. */
  readonly agent: string;
  /** Number of times that it was claimed; known while it has not ended. */
  readonly attempt?: number;
  readonly steps: readonly RecordedStep[];
  /** Its frames in order: the first 2,000 at most. */
  readonly frames: readonly DurableFrame[];
  readonly approvals: readonly Approval[];
  /** The parts of its reply that a channel sends. */
  readonly parts: readonly OutboxPart[];
}

/** Selects approvals. */
export interface ApprovalQuery {
  /** Or `ALL_TENANTS`. */
  readonly tenant: string;
  /** `pending`: the undecided ones, oldest first. Others: the newest first. */
  readonly state: 'pending' | ApprovalDecision;
  /** The `next` of the page before. */
  readonly after?: number | undefined;
  readonly limit: number;
}

/** A page of approvals. It may have fewer than the limit, or none, and a `next`. */
export interface ApprovalPage {
  readonly items: readonly Approval[];
  /** Present unless the list has ended. */
  readonly next?: number;
}

/** Selects sessions. */
export interface SessionQuery {
  /** Or `ALL_TENANTS`. */
  readonly tenant: string;
  /** Only those of these channels; by default of all. */
  readonly channels?: readonly string[] | undefined;
  readonly mode?: SessionMode | undefined;
  /** Only those in which a message of this sender was accepted. */
  readonly participant?: string | undefined;
  /** Only those whose ID, channel or key contains this text, in any case. */
  readonly text?: string | undefined;
  /** Only those with a message since then, in Unix milliseconds. */
  readonly activeSince?: number | undefined;
  /** `created`: the newest first. `active`: the one with the newest message first. */
  readonly order: 'created' | 'active';
  /** The `next` of the page before. */
  readonly after?: ListPosition | undefined;
  readonly limit: number;
}

/** Where a page of a list begins. What became part of the list after `asOf` is not part of its pages. */
export interface ListPosition {
  readonly at: number;
  readonly asOf: number;
}

/** A session with what is open in it. */
export interface ListedSession extends Session {
  /** Number of messages that wait. */
  readonly waiting: number;
  /** The message that runs now. */
  readonly runningRef?: string;
}

/** A page of sessions. It may have fewer than the limit, or none, and a `next`. */
export interface SessionPage {
  readonly items: readonly ListedSession[];
  /** Present unless the list has ended. */
  readonly next?: ListPosition;
}

/** Selects people: the senders of messages. */
export interface PersonQuery {
  /** Or `ALL_TENANTS`. */
  readonly tenant: string;
  /** Only those of these channels; by default of all. */
  readonly channels?: readonly string[] | undefined;
  /** Only those whose ID contains this text, in any case. */
  readonly text?: string | undefined;
  /** The `next` of the page before. */
  readonly after?: PersonPosition | undefined;
  readonly limit: number;
}

export interface PersonPosition {
  readonly sender: string;
  /** The number of the session in which the sender was met. */
  readonly session: number;
}

/** A sender of messages on a channel. */
export interface Person {
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
  /** As its newest message has it. */
  readonly name?: string;
  /** The session in which it was met first. */
  readonly sessionId: string;
  /** When that session had its newest message, in Unix milliseconds. */
  readonly lastActive: number;
}

/** A page of people, by ID. It may have fewer than the limit, or none, and a `next`. */
export interface PersonPage {
  readonly items: readonly Person[];
  /** Present unless the list has ended. */
  readonly next?: PersonPosition;
}

/** The numbers of what an erasure removed. */
export type ErasedCounts = Readonly<Record<'messages' | 'replies' | 'frames' | 'media' | 'memories', number>>;

/** Selects a person, and where its erasure continues. */
export interface ErasureRequest {
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
  /** The `next` of the call before. */
  readonly after?: ErasurePosition | undefined;
  /** The numbers of the calls before. */
  readonly erased: ErasedCounts;
  /** The principal, for the audit trail. */
  readonly actor: string;
}

export interface ErasurePosition {
  /** The number of a session, and of a message. */
  readonly session: number;
  readonly ord: number;
}

/** A portion of the erasure of a person. */
export interface ErasureOutcome {
  /** The records that this call and those before have erased. */
  readonly erased: ErasedCounts;
  /** Present until everything is erased. */
  readonly next?: ErasurePosition;
  /** Messages that have not ended: they are not erased, and have to end first. */
  readonly unfinished: readonly string[];
}

/**
 * The view of operators of the store as a whole. A call visits a bounded number of rows, whatever the store holds.
 * Calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class AdminStore {
  abstract listWaitingMessages(query: WaitingQuery): Promise<WaitingPage>;

  /** Counts the sessions of a tenant that were used since `activeSince` (Unix milliseconds) or have unfinished messages. */
  abstract countActiveSessions(
    query: Pick<WaitingQuery, 'tenant' | 'channels'> & { readonly activeSince: number },
  ): Promise<number>;

  /** Resolves with undefined if the tenant, or `ALL_TENANTS`, has no such message. */
  abstract findMessageLife(tenant: string, messageRef: string): Promise<MessageLife | undefined>;

  abstract listApprovals(query: ApprovalQuery): Promise<ApprovalPage>;

  abstract listSessions(query: SessionQuery): Promise<SessionPage>;

  /**
   * Deletes a portion of a session with everything in it. Resolves with `gone` when it does not exist any more, `more` when
   * there is more, `busy` while it has messages that have not ended. A session that begins later under the same key continues
   * its log. The last portion and its row in the audit trail are one commit.
   */
  abstract deleteSession(tenant: string, sessionId: string, actor: string): Promise<'gone' | 'more' | 'busy'>;

  /** Reads up to `limit` messages of a session after `afterRef`, oldest first. */
  abstract readForward(sessionId: string, limit: number, afterRef?: string): Promise<readonly MessageWithReply[]>;

  /** Reads the newest messages that are part of the agent's context, oldest first. */
  abstract readCurrentContext(sessionId: string, limit: number): Promise<readonly MessageWithReply[]>;

  abstract listPeople(query: PersonQuery): Promise<PersonPage>;

  /**
   * Erases a portion of what a person has left: texts of messages and replies, files, memories of direct chats. Frames keep
   * type and seq with an empty payload, so that the log stays dense. The last portion and its row in the audit trail, with the
   * counts, are one commit.
   */
  abstract erasePerson(request: ErasureRequest): Promise<ErasureOutcome>;
}
