/**
 * The records that the store keeps, as the core sees them. Times are Unix milliseconds. `Json` fields hold JSON text,
 * encoded once when the record is made.
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
import type { Trace } from '../telemetry/traceparent.js';
import type { StepUsage } from './usage.store.js';

export type Json = string;

/** The full identity of a client. The same client_id under two principals means two clients. */
export interface ClientKey {
  readonly tenant: string;
  readonly principal: string;
  readonly clientId: string;
}

/** Priorities, highest first: 10 direct mention, 5 reply to the agent, 1 otherwise. */
export const PRIORITIES = [10, 5, 1] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The fields of a session that are known when its first message arrives. */
export interface SessionSeed {
  /** Derived from tenant, agent, mode and key parts, so the same key always gives the same id. */
  readonly id: string;
  readonly tenant: string;
  readonly mode: SessionMode;
  readonly channel: string;
  /** The ID of the agent that it belongs to. */
  readonly agent: string;
  /** The parts of the key, for people: sender, group and thread, or queue. */
  readonly keyParts: readonly string[];
}

export interface Session extends SessionSeed {
  /** True if messages of more than one sender were accepted. */
  readonly hasSeveralParticipants: boolean;
  readonly createdAt: number;
  readonly lastActive: number;
  /** Collections of long-term memory that it may search. */
  readonly memoryRefs: readonly string[];
  /** Permissions that the session holds for tools. */
  readonly toolPermissions: readonly string[];
  /** True if every group message is answered, not only those that address the agent. */
  readonly explicitActivation: boolean;
  /** The model that was chosen for it, `provider/model`; by default that of its agent. */
  readonly model?: string | undefined;
  /** The seq of its newest frame; 0 if there is none. */
  readonly headSeq: number;
}

/** A change of a session by an operator, a command or a tool. */
export interface SessionChange {
  readonly mode?: SessionMode;
  readonly explicitActivation?: boolean;
  readonly toolPermissions?: readonly string[];
  readonly memoryRefs?: readonly string[];
  /** Null undoes the choice. */
  readonly model?: string | null;
  /** Removes all messages so far from the agent's context. They stay in the history. */
  readonly resetContext?: true;
}

/** A message to be accepted. */
export interface NewMessage {
  readonly client: ClientKey;
  /** The client's id for it; with `client` the key that identifies duplicates. */
  readonly messageId: string;
  readonly session: SessionSeed;
  /** True if the sender named its session by id; else its payload determined the session. */
  readonly namesSession: boolean;
  readonly payload: MessageInPayload;
  /**
   * False for a group message that does not address the agent. It is only observed (stored as context without a turn),
   * unless the session has explicit activation. One whose payload says `observe` is observed there too.
   */
  readonly isAddressed: boolean;
  readonly priority: Priority;
  readonly receivedAt: number;
  /** The trace context of its accept, if traces are made. */
  readonly trace?: Trace | undefined;
  /** Makes it a decision on a tool call: it does not wait, but is carried out and ended by the commit that stores it. */
  readonly ruling?: MessageRuling | undefined;
}

/** A person of a channel. A row of the trail holds an ID in their place, which an erasure makes meaningless. */
export interface AuditPerson {
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
}

/** The decision on a tool call that a message is: `/approve ID` or `/deny ID`. */
export interface MessageRuling {
  readonly approvalId: string;
  readonly decision: 'allow' | 'deny';
  /** `own`: on calls of the sender's own messages, and in direct chats. */
  readonly may: 'always' | 'own' | 'never';
  /** The name of the sender, or its principal. */
  readonly decidedBy: string;
  /** For the audit trail: the principal, and the person for whom it speaks if it is a channel. */
  readonly actor: string;
  readonly person?: AuditPerson | undefined;
}

/** Limits of accepting. Waiting and running messages count. */
export interface QueueLimits {
  readonly perSession: number;
  readonly perClient: number;
  readonly total: number;
  /** The limit of the tenant; absent if it has none of its own, 0 to accept duplicates only. */
  readonly perTenant?: number | undefined;
}

export type AcceptOutcome =
  | AcceptedMessage
  | { readonly kind: 'conflict' }
  /** It names no message that it may supersede: an ended or waiting one of the same sender in the same session. */
  | { readonly kind: 'nothing_to_supersede' }
  | { readonly kind: 'full'; readonly limit: keyof QueueLimits };

/** A message that was stored by this call (`accepted`) or by an earlier one with the same body (`duplicate`). */
export interface AcceptedMessage {
  readonly kind: 'accepted' | 'duplicate';
  readonly messageRef: string;
  readonly sessionId: string;
  readonly mode: SessionMode;
  /** The ID of the agent of the session. */
  readonly agent: string;
  readonly status: MessageStatus;
  readonly priority: Priority;
  /** Number of waiting messages ahead of it in its session, without the running one; 0 if it does not wait. */
  readonly position: number;
  /** The session's head at the commit. A sender that subscribes reads on from here. */
  readonly headSeq: number;
  /** The message of this session that was running when this one was accepted. */
  readonly runningRef?: string;
  /** The `stream_end` of the waiting message that this one supersedes, from the same commit. */
  readonly ended?: DurableFrame;
  /** The reply to a message that is a decision, from the same commit. */
  readonly reply?: readonly DurableFrame[];
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
  /** The trace context that it was accepted with, which its turn continues. */
  readonly trace?: Trace;
}

/**
 * The right to write for a session's running turn. Every write of a turn carries it and has no effect once the session
 * has a higher epoch (fencing).
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
  /** The session at the time of the claim. */
  readonly session: Session;
  /** 1 for the first run; part of every block. */
  readonly attempt: number;
  /**
   * Number of runs that a crash or a lost lease ended. A drain, a planned retry, and the end of a run that waited for a person
   * do not count.
   */
  readonly interruptions: number;
  /** It was cancelled while it ran; this run only has to end it. */
  readonly cancelRequested: boolean;
}

/** By tenant: number of messages that may be claimed now. Tenants that it does not have are not limited. */
export type TurnRooms = ReadonlyMap<string, number>;

export interface ClaimRequest {
  readonly replicaId: string;
  readonly limit: number;
  readonly leaseMs: number;
  /** Only the next message of this session is claimed, whatever waits in others. */
  readonly sessionId?: string;
  /** Messages that may be claimed of each tenant whose turns are limited. */
  readonly rooms?: TurnRooms | undefined;
}

export interface ClaimResult {
  readonly claims: readonly Claim[];
  /** Time at which the next message that waits for its retry is due; now if long messages are left for another claim. */
  readonly nextDueAt?: number;
}

/** A frame to be appended to the log. The commit assigns its seq. */
export interface NewFrame {
  readonly type: DurableType;
  readonly messageRef: string;
  /** The `id` of its message: the frame's correlation_id. */
  readonly messageId: string;
  readonly timestamp: number;
  readonly payload: Json;
}

/** A frame in the log. It is immutable; its seq is dense within the session from 1. */
export interface DurableFrame extends NewFrame {
  readonly sessionId: string;
  readonly seq: number;
}

/** A recorded step of a turn. Steps are only appended, dense from 0 within the message. */
export interface JournalEntry {
  readonly step: number;
  readonly kind: 'answer' | 'tool_intent' | 'tool_start' | 'tool_result' | 'joined';
  readonly body: Json;
  /** The tokens and the price of one model answer. */
  readonly usage?: StepUsage | undefined;
}

/**
 * A recorded step with the session's head after its commit. Frames of the message after the last step's head have no
 * recorded step.
 */
export interface RecordedStep extends Omit<JournalEntry, 'usage'> {
  readonly headSeq: number;
}

/** One flush of a running turn, written in one transaction with the frames in this order. */
export interface TurnWrite {
  readonly frames: readonly NewFrame[];
  readonly journal: readonly JournalEntry[];
}

/** Joins waiting messages to a running turn: their ends, and the step that holds their texts, in one transaction. */
export interface JoinWrite extends TurnWrite {
  /** The messages end as `done`; their `stream_end` frames are among `frames`. */
  readonly ended: readonly { readonly messageRef: string; /** A {@link Reply}. */ readonly reply: Json }[];
}

/** The last write of a turn: its `stream_end`, its terminal state and its reply for the history, in one transaction. */
export interface TurnEnd extends TurnWrite {
  readonly status: 'done' | 'cancelled' | 'failed';
  /** A {@link Reply}. */
  readonly reply: Json;
  /**
   * Present if `reply` lacks its blocks, because they are long: their number. The store adds them in this transaction. The
   * block with index `i` is that of the newest `stream_block` of the message with that index, including those of `frames`.
   */
  readonly loggedBlocks?: number | undefined;
  /** The ids of calls that will not start. An approval of one of them that is not decided expires in this transaction. */
  readonly expiredCalls?: readonly string[];
}

/** The final reply to a message. */
export interface Reply {
  readonly blocks: readonly StreamBlock[];
  readonly reason: EndReason;
  readonly usage?: Usage;
  readonly error?: EndError;
  /** Set when `reason` is `merged`: the message whose reply also answers this one. */
  readonly mergedInto?: string;
  readonly endedAt: number;
}

/** `fenced`: the lease is no longer the newest of its session; nothing was written. */
export type WriteOutcome =
  | { readonly kind: 'written'; readonly frames: readonly DurableFrame[] }
  | { readonly kind: 'fenced' };

/** `changed`: one of the messages no longer waits; nothing was written. */
export type JoinOutcome = WriteOutcome | { readonly kind: 'changed' };

/** The recorded state of a turn that is resumed. */
export interface TurnRecord {
  readonly steps: readonly RecordedStep[];
  /** All frames of the message in order, including superseded ones. */
  readonly frames: readonly DurableFrame[];
}

/** Selects a message by its `messageRef`, or by the id under which a client sent it. */
export type MessageSelector =
  | { readonly by: 'ref'; readonly tenant: string; readonly messageRef: string }
  | { readonly by: 'id'; readonly client: ClientKey; readonly messageId: string };

/** Selects the messages to cancel: one, or all of a session. */
export type CancelSelector =
  | MessageSelector
  | { readonly by: 'session'; readonly tenant: string; readonly sessionId: string };

export interface CancelOutcome {
  /** The committed `stream_end` frames of waiting messages that are now cancelled. */
  readonly ended: readonly DurableFrame[];
  /** Running messages that are marked as cancelled; their runner ends them. */
  readonly running: readonly { readonly sessionId: string; readonly messageRef: string }[];
}

/** A message with its reply and reactions, for the history and for the agent's context. */
export interface MessageWithReply extends StoredMessage {
  readonly status: MessageStatus;
  readonly reply?: Reply;
  /** Reactions to the message or its reply, in no particular order. */
  readonly reactions: readonly StoredReaction[];
  /** The ref of the message that supersedes this one in the agent's context. */
  readonly supersededBy?: string;
}

/** A reaction to a message. */
export interface StoredReaction {
  readonly sender: string;
  readonly emoji: string;
}

export interface QueueCounts {
  /** Waiting messages, including those that wait for a retry. */
  readonly queued: number;
  readonly running: number;
  /** When the message that has waited longest was received; undefined if none waits. */
  readonly oldestAt?: number | undefined;
  /** Sessions used since `activeSince` or with waiting messages. */
  readonly activeSessions: number;
}

export interface FramePage {
  readonly frames: readonly DurableFrame[];
  readonly headSeq: number;
  /** The oldest seq that retention has kept; headSeq + 1 if none is left. */
  readonly firstSeq: number;
}

/** A position in the log of a session. */
export interface SessionCursor {
  readonly sessionId: string;
  readonly seq: number;
}

/** Where a client that follows a channel reads a session: the frames after `seq` up to `headSeq` are new to it. */
export interface FollowedPosition {
  readonly seq: number;
  readonly headSeq: number;
}

/** A position from which a client resumes a session. */
export interface ResumePosition extends SessionCursor {
  /** The epoch of the log under which the client got the frame `seq`; undefined if the client does not know it. */
  readonly epoch?: string | undefined;
}
