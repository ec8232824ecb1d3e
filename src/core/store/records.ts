/**
 * What the store keeps, as the core sees it. Times are Unix milliseconds. `Json` fields hold JSON text: they are
 * encoded once when they are made and travel as text from then on.
 */
import type {
  EndError,
  EndReason,
  DurableType,
  MessageInPayload,
  MessageStatus,
  SessionMode,
  StreamBlock,
  Usage,
} from '../../protocol/domain.js';

export type Json = string;

/** The full identity of a client: the same client_id under two principals is two clients. */
export interface ClientKey {
  readonly tenant: string;
  readonly principal: string;
  readonly clientId: string;
}

/** Highest first: 10 direct mention, 5 reply to the agent, 1 otherwise. */
export const PRIORITIES = [10, 5, 1] as const;
export type Priority = (typeof PRIORITIES)[number];

/** A session as it is when its first message arrives. */
export interface SessionSeed {
  /** Derived from tenant, mode and key parts, so that one key always gives one id. */
  readonly id: string;
  readonly tenant: string;
  readonly mode: SessionMode;
  readonly channel: string;
  /** The key's parts, for people: sender, group and thread, or queue. */
  readonly keyParts: readonly string[];
}

export interface Session extends SessionSeed {
  readonly participants: readonly string[];
  readonly createdAt: number;
  readonly lastActive: number;
  /** Links to long-term memory. */
  readonly memoryRefs: readonly string[];
  /** Permissions that tools may require of the session. */
  readonly toolPermissions: readonly string[];
  /** The session answers every group message, not only those that address the agent. */
  readonly explicitActivation: boolean;
  /** The seq of its newest frame; 0 when there is none. */
  readonly headSeq: number;
}

/** What an operator, a command or a tool may change of a session. */
export interface SessionChange {
  readonly mode?: SessionMode;
  readonly explicitActivation?: boolean;
  readonly toolPermissions?: readonly string[];
  readonly memoryRefs?: readonly string[];
  /** Messages up to now are no longer part of the agent's context. They stay in the history. */
  readonly resetContext?: true;
}

/** A message that a client wants to be accepted. */
export interface NewMessage {
  readonly client: ClientKey;
  /** The sender's own id: with `client` the key under which a repeat is recognised. */
  readonly messageId: string;
  /** Hash of type, session_id and payload: a repeat with another body is a conflict. */
  readonly bodyHash: string;
  readonly session: SessionSeed;
  readonly payload: MessageInPayload;
  /** `observe`: kept as context, no turn will follow. */
  readonly disposition: 'queue' | 'observe';
  readonly priority: Priority;
  readonly receivedAt: number;
}

/** Refused when the message would be one too many; waiting and running messages count. */
export interface QueueLimits {
  readonly perSession: number;
  readonly perClient: number;
  readonly total: number;
}

export type AcceptOutcome =
  | AcceptedMessage
  | { readonly kind: 'conflict' }
  | { readonly kind: 'full'; readonly limit: keyof QueueLimits };

/** A message that is stored, by this call (`accepted`) or by an earlier one with the same body (`duplicate`). */
export interface AcceptedMessage {
  readonly kind: 'accepted' | 'duplicate';
  readonly messageRef: string;
  readonly sessionId: string;
  readonly mode: SessionMode;
  readonly status: MessageStatus;
  readonly priority: Priority;
  /** Waiting messages ahead of it in its session, the running one not counted; 0 when it does not wait. */
  readonly position: number;
  /** The session's head when this was committed: a sender that subscribes reads on from here. */
  readonly headSeq: number;
  /** The message of this session that was running when this one was accepted. */
  readonly runningRef?: string;
}

/** A message as it is stored. */
export interface StoredMessage {
  readonly messageRef: string;
  readonly messageId: string;
  readonly client: ClientKey;
  readonly sessionId: string;
  readonly payload: MessageInPayload;
  readonly priority: Priority;
  readonly receivedAt: number;
}

/**
 * The right to write for a session's running turn. Every write of a turn carries it and changes nothing once the
 * session's epoch has moved on (fencing).
 */
export interface Lease {
  readonly sessionId: string;
  readonly replicaId: string;
  readonly epoch: number;
  readonly messageRef: string;
}

/** A message that this replica may run now. */
export interface Claim {
  readonly lease: Lease;
  readonly message: StoredMessage;
  /** As it is when the message is claimed. */
  readonly session: Session;
  /** 1 for the first run; part of every block. */
  readonly attempt: number;
  /** How often a crash or a lost lease ended a run; a drain and a planned retry do not count. */
  readonly interruptions: number;
  /** Somebody cancelled it while it ran; the run has only to end it. */
  readonly cancelRequested: boolean;
}

export interface ClaimRequest {
  readonly replicaId: string;
  readonly limit: number;
  readonly leaseMs: number;
}

export interface ClaimResult {
  readonly claims: readonly Claim[];
  /** When the next message that waits for its retry is due, if nothing else happens. */
  readonly nextDueAt?: number;
}

/** A frame on its way to the log. Its seq comes with the commit. */
export interface NewFrame {
  readonly type: DurableType;
  readonly messageRef: string;
  /** The `id` of the message it belongs to: the frame's correlation_id. */
  readonly messageId: string;
  readonly timestamp: number;
  readonly payload: Json;
}

/** A frame in the log: immutable, its seq dense within the session from 1. */
export interface DurableFrame extends NewFrame {
  readonly sessionId: string;
  readonly seq: number;
}

/** One recorded step of a turn; append only, dense from 0 within its message. */
export interface JournalEntry {
  readonly step: number;
  readonly kind: 'answer' | 'tool_intent' | 'tool_start' | 'tool_result' | 'joined';
  readonly body: Json;
}

/** A recorded step, with the session's head after its commit: the message's frames beyond the last one stand on nothing. */
export interface RecordedStep extends JournalEntry {
  readonly headSeq: number;
}

/** What one flush of a running turn writes, in one transaction, frames in this order. */
export interface TurnWrite {
  readonly frames: readonly NewFrame[];
  readonly journal: readonly JournalEntry[];
}

/** What takes waiting messages into a running turn: their ends, and the step that holds what they say, in one transaction. */
export interface JoinWrite extends TurnWrite {
  /** Each ends as done; its `stream_end` is among the frames. */
  readonly ended: readonly { readonly messageRef: string; readonly reply: Reply }[];
}

/** The last write of a turn: its end in the log, its terminal state and its reply for the history, in one transaction. */
export interface TurnEnd extends TurnWrite {
  readonly status: 'done' | 'cancelled' | 'failed';
  readonly reply: Reply;
  /** The ids of calls that will not start. An approval of one of them that is not decided expires in this transaction. */
  readonly expiredCalls?: readonly string[];
}

/** The reply to a message as it stands at the end. */
export interface Reply {
  readonly blocks: readonly StreamBlock[];
  readonly reason: EndReason;
  readonly usage?: Usage;
  readonly error?: EndError;
  /** Set when `reason` is `merged`: the message whose reply also answers this one. */
  readonly mergedInto?: string;
  readonly endedAt: number;
}

/** `fenced`: the lease is not the newest of its session any more; nothing was written. */
export type WriteOutcome =
  | { readonly kind: 'written'; readonly frames: readonly DurableFrame[] }
  | { readonly kind: 'fenced' };

/** `changed`: one of the messages does not wait any more; nothing was written. */
export type JoinOutcome = WriteOutcome | { readonly kind: 'changed' };

/** What a turn that is taken up again finds. */
export interface TurnRecord {
  readonly steps: readonly RecordedStep[];
  /** All frames of the message, superseded ones included, in order. */
  readonly frames: readonly DurableFrame[];
}

/** Which message: by the gateway's name for it, or by the id under which a client sent it. */
export type MessageSelector =
  | { readonly by: 'ref'; readonly tenant: string; readonly messageRef: string }
  | { readonly by: 'id'; readonly client: ClientKey; readonly messageId: string };

/** Which messages to cancel: one, or all of a session. */
export type CancelSelector =
  | MessageSelector
  | { readonly by: 'session'; readonly tenant: string; readonly sessionId: string };

export interface CancelOutcome {
  /** The `stream_end` frames of messages that waited and are now cancelled, committed. */
  readonly ended: readonly DurableFrame[];
  /** Messages that run: marked as to be cancelled, their runner ends them. */
  readonly running: readonly { readonly sessionId: string; readonly messageRef: string }[];
}

/** A message with what became of it, for history and for the agent's context. */
export interface MessageWithReply extends StoredMessage {
  readonly status: MessageStatus;
  readonly reply?: Reply;
  /** To the message or its reply, in no particular order. */
  readonly reactions: readonly StoredReaction[];
}

/** Somebody's reaction to a message. */
export interface StoredReaction {
  readonly sender: string;
  readonly emoji: string;
}

export interface QueueCounts {
  /** Messages that wait, a retry included. */
  readonly queued: number;
  readonly running: number;
  /** Sessions used since `activeSince`, or with work waiting. */
  readonly activeSessions: number;
}

export interface FramePage {
  readonly frames: readonly DurableFrame[];
  readonly headSeq: number;
  /** The oldest seq that retention has left; headSeq + 1 when none is left. */
  readonly firstSeq: number;
}

export interface SessionCursor {
  readonly sessionId: string;
  readonly seq: number;
}
