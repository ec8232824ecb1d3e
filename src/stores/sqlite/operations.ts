/** What the thread that owns the file can be asked. */
import type {
  Approval,
  ApprovalDecision,
  CancelOutcome,
  CancelSelector,
  ClaimRequest,
  ClientKey,
  FramePage,
  JournalEntry,
  Lease,
  MediaRecord,
  Memory,
  MemoryQuery,
  MessageSelector,
  QueueCounts,
  Session,
  SessionChange,
  SessionCursor,
  SettingsChange,
  StoredReaction,
  StoredSettings,
  SweepLimits,
  TurnRecord,
} from '../../core/store/index.js';
import type {
  LeaseKey,
  PackedClaim,
  PackedEnd,
  PackedFrame,
  PackedMessage,
  PackedMessageWithReply,
  PackedNewMessage,
  PackedOutcome,
} from './packing.js';

/** The seq of the first of the frames that were written, or undefined when the lease was fenced off. */
export type WrittenFrom = number | undefined;

/** Operations that change something: they share a transaction and are answered after its commit. */
export interface WriteOperations {
  accept(now: number, message: PackedNewMessage): PackedOutcome;
  claim(now: number, request: ClaimRequest): { readonly claims: readonly PackedClaim[]; readonly nextDueAt?: number };
  postpone(now: number, lease: LeaseKey, notBefore: number): void;
  cancel(now: number, selector: CancelSelector, timestamp: number): CancelOutcome | undefined;
  append(now: number, lease: LeaseKey, frames: readonly PackedFrame[], journal: readonly JournalEntry[]): WrittenFrom;
  finish(
    now: number,
    lease: LeaseKey,
    frames: readonly PackedFrame[],
    journal: readonly JournalEntry[],
    end: PackedEnd,
  ): WrittenFrom;
  join(
    now: number,
    lease: LeaseKey,
    frames: readonly PackedFrame[],
    journal: readonly JournalEntry[],
    ends: readonly (readonly [messageRef: string, end: PackedEnd])[],
  ): WrittenFrom | 'changed';
  updateSession(now: number, sessionId: string, change: SessionChange): Session | undefined;
  react(now: number, messageRef: string, reaction: StoredReaction, added: boolean): void;
  addMedia(now: number, record: MediaRecord): void;
  assignMedia(now: number, mediaIds: readonly string[], sessionId: string): void;
  forgetMedia(now: number, mediaIds: readonly string[]): void;
  saveMemory(now: number, memory: Memory, maxPerCollection: number): boolean;
  openApproval(now: number, approval: Approval): Approval;
  decideApproval(now: number, approvalId: string, decision: ApprovalDecision, actor: string): Approval | undefined;
  changeSettings(now: number, version: number, change: SettingsChange): StoredSettings | undefined;
  moveCursor(now: number, client: ClientKey, sessionId: string, seq: number): void;
  /** Whether it had to write something. */
  check(now: number): boolean;
  sweep(now: number, limits: SweepLimits): boolean;
}

/** Operations that only read: they see what is committed and wait for no commit. */
export interface ReadOperations {
  renew(
    now: number,
    leases: readonly Lease[],
  ): { readonly lost: readonly Lease[]; readonly cancelRequested: readonly Lease[] };
  findMessage(now: number, selector: MessageSelector): PackedMessage | undefined;
  findMedia(now: number, tenant: string, mediaId: string): MediaRecord | undefined;
  listExpiredMedia(now: number, unclaimedBefore: number): readonly string[];
  searchMemories(now: number, query: MemoryQuery): readonly Memory[];
  findApproval(now: number, tenant: string, approvalId: string): Approval | undefined;
  listPendingApprovals(now: number, tenant: string): readonly Approval[];
  readSettings(now: number): StoredSettings;
  readSecret(now: number): Uint8Array;
  count(now: number, activeSince: number): QueueCounts;
  listWaiting(now: number, sessionId: string): readonly PackedMessage[];
  readTurn(now: number, messageRef: string): TurnRecord;
  readContext(now: number, sessionId: string, beforeRef: string, limit: number): readonly PackedMessageWithReply[];
  findSession(now: number, sessionId: string): Session | undefined;
  findLatestMain(now: number, tenant: string, channels: readonly string[], sender: string): Session | undefined;
  readHistory(now: number, sessionId: string, limit: number, beforeRef: string | undefined): PackedHistory;
  readFrames(now: number, sessionId: string, afterSeq: number, maxFrames: number, maxBytes: number): FramePage;
  readHeads(now: number, sessionIds: readonly string[]): readonly SessionCursor[];
  listResumable(now: number, client: ClientKey): readonly SessionCursor[];
}

export interface PackedHistory {
  readonly messages: readonly PackedMessageWithReply[];
  readonly more: boolean;
  readonly headSeq: number;
}

type Tail<F> = F extends (now: number, ...rest: infer R) => unknown ? R : never;
type Answer<F> = F extends (...all: never[]) => infer R ? R : never;

export type WriteName = keyof WriteOperations;
export type ReadName = keyof ReadOperations;
export type Operations = WriteOperations & ReadOperations;
export type OperationName = keyof Operations;
export type OperationArguments<N extends OperationName> = Tail<Operations[N]>;
export type OperationAnswer<N extends OperationName> = Answer<Operations[N]>;

/** One call on its way: the operation's name, then its arguments without `now`. */
export type Call = { [N in OperationName]: readonly [N, ...OperationArguments<N>] }[OperationName];

/** Calls that go together: all reads, or all writes. */
export interface Batch {
  readonly kind: 'read' | 'write';
  /** The clock when the batch left, for all its calls. */
  readonly now: number;
  readonly calls: readonly Call[];
}

/** The answers in the order of the calls; a call that failed has its error in `failures` instead. */
export interface BatchReply {
  readonly answers: readonly unknown[];
  readonly failures: readonly Failure[];
}

export interface Failure {
  /** Which call of the batch. */
  readonly index: number;
  readonly error: Error;
  /** The store could not commit or read (disk, lock); false: this call itself was at fault. */
  readonly unavailable: boolean;
}
