/**
 * Packs records into flat lists of numbers and strings to pass them between the threads, with JSON left as text.
 * Passing objects costs three times as much, because every field name is copied. Each record is packed on one side and
 * unpacked on the other; nothing else knows the lists.
 */
import type {
  Claim,
  ClaimResult,
  DurableFrame,
  Json,
  JournalEntry,
  JoinWrite,
  Lease,
  MessageWithReply,
  NewFrame,
  Priority,
  Reply,
  Session,
  StoredMessage,
  StoredReaction,
  TurnEnd,
  TurnWrite,
  WriteOutcome,
} from '../../../core/store/index.js';
import type { DurableType, MessageStatus } from '../../../protocol/index.js';
import type { PackedSession } from '../state/sent-sessions.js';

export interface MessageRow extends Omit<StoredMessage, 'payload'> {
  readonly payload: Json;
}

export type PackedMessage = readonly [
  messageRef: string,
  messageId: string,
  tenant: string,
  principal: string,
  clientId: string,
  sessionId: string,
  priority: Priority,
  receivedAt: number,
  payload: Json,
  trace: string | undefined,
];

export function packMessage({ client, ...message }: MessageRow): PackedMessage {
  const { messageRef, messageId, sessionId, priority, receivedAt, payload, trace } = message;
  const { tenant, principal, clientId } = client;
  return [messageRef, messageId, tenant, principal, clientId, sessionId, priority, receivedAt, payload, trace];
}

export function unpackMessage(packed: PackedMessage): StoredMessage {
  const [messageRef, messageId, tenant, principal, clientId, sessionId, priority, receivedAt, payload, trace] = packed;
  const client = { tenant, principal, clientId };
  const parsed = JSON.parse(payload) as StoredMessage['payload'];
  const message = { messageRef, messageId, client, sessionId, payload: parsed, priority, receivedAt };
  return trace === undefined ? message : { ...message, trace };
}

/** The rows of a message in the history. */
export interface HistoryRow {
  readonly message: MessageRow;
  readonly status: MessageStatus;
  readonly reply: Json | null;
  readonly reactions: Json;
  /** The ref of the message that supersedes it. */
  readonly supersededBy: string | null;
}

export type PackedHistoryRow = readonly [
  message: PackedMessage,
  status: MessageStatus,
  reply: Json | null,
  reactions: Json,
  supersededBy: string | null,
];

export function packHistoryRow({ message, status, reply, reactions, supersededBy }: HistoryRow): PackedHistoryRow {
  return [packMessage(message), status, reply, reactions, supersededBy];
}

export function unpackHistoryRow([
  message,
  status,
  reply,
  reactions,
  supersededBy,
]: PackedHistoryRow): MessageWithReply {
  return {
    ...unpackMessage(message),
    status,
    reactions: JSON.parse(reactions) as StoredReaction[],
    ...(reply !== null && { reply: JSON.parse(reply) as Reply }),
    ...(supersededBy !== null && { supersededBy }),
  };
}

/**
 * The records that the calling thread keeps, so that claims need not repeat them: waiting messages by slot, sessions by
 * place. The other thread assigns slots and places. Replies come in the order in which it ran the calls, so both threads
 * always agree.
 */
export class KeptRecords {
  readonly messages: (StoredMessage | undefined)[] = [];
  readonly sessions: SessionFields[] = [];
}

type SessionFields = Omit<Session, 'lastActive' | 'headSeq'>;

export interface ClaimRow extends Omit<Claim, 'lease' | 'message' | 'session'> {
  /** Its slot if the other thread keeps it. */
  readonly message: MessageRow | number;
  readonly session: PackedSession;
  readonly lastActive: number;
  readonly headSeq: number;
  readonly epoch: number;
}

export type PackedClaim = readonly [
  message: PackedMessage | number,
  epoch: number,
  attempt: number,
  interruptions: number,
  cancelRequested: boolean,
  session: PackedSession,
  lastActive: number,
  headSeq: number,
];
export type PackedClaims = readonly [claims: readonly PackedClaim[], nextDueAt: number | undefined];

export function packClaims(claims: readonly ClaimRow[], nextDueAt: number | undefined): PackedClaims {
  const packed = claims.map((claim) => {
    const { message, epoch, attempt, interruptions, cancelRequested, session, lastActive, headSeq } = claim;
    const sent = typeof message === 'number' ? message : packMessage(message);
    return [sent, epoch, attempt, interruptions, cancelRequested, session, lastActive, headSeq] as const;
  });
  return [packed, nextDueAt];
}

export function unpackClaims([claims, nextDueAt]: PackedClaims, replicaId: string, kept: KeptRecords): ClaimResult {
  return {
    claims: claims.map((claim) => unpackClaim(claim, replicaId, kept)),
    ...(nextDueAt !== undefined && { nextDueAt }),
  };
}

function unpackClaim(packed: PackedClaim, replicaId: string, kept: KeptRecords): Claim {
  const [sent, epoch, attempt, interruptions, cancelRequested, session, lastActive, headSeq] = packed;
  const message = typeof sent === 'number' ? takeKept(kept, sent) : unpackMessage(sent);
  const { sessionId, messageRef } = message;
  return {
    lease: { sessionId, replicaId, epoch, messageRef },
    message,
    session: { ...unpackSession(session, kept), lastActive, headSeq },
    attempt,
    interruptions,
    cancelRequested,
  };
}

function takeKept({ messages }: KeptRecords, slot: number): StoredMessage {
  const message = messages[slot];
  if (!message) throw new Error('a message that must be kept for its claim is missing');
  messages[slot] = undefined;
  return message;
}

function unpackSession(packed: PackedSession, { sessions }: KeptRecords): SessionFields {
  if (typeof packed !== 'number') sessions[packed[0]] = JSON.parse(packed[1]) as SessionFields;
  const session = sessions[typeof packed === 'number' ? packed : packed[0]];
  if (!session) throw new Error('a session that must be known from an earlier claim is missing');
  return session;
}

/** The fields that identify a lease in this database. */
export type LeaseKey = Pick<Lease, 'messageRef' | 'epoch'>;

/** The row of a frame to be appended. The message row has the `messageId`. */
export type FrameRow = Omit<NewFrame, 'messageId'>;

/** The row of a message's end. */
export interface EndRow {
  readonly status: TurnEnd['status'];
  readonly reply: Json;
}

/** The rows of a write of a running turn. */
export interface TurnRows {
  readonly frames: readonly FrameRow[];
  readonly journal: readonly JournalEntry[];
}

const FIELDS_OF_FRAME = 4;
/** Type, message ref, timestamp and payload of each frame. The ref is empty if it is that of the lease. */
export type PackedFrames = readonly (string | number)[];
export type PackedWrite = [messageRef: string, epoch: number, frames: PackedFrames, journal: readonly JournalEntry[]];
export type PackedFinish = [
  ...PackedWrite,
  end: readonly [
    status: TurnEnd['status'],
    reply: Json,
    expiredCalls: TurnEnd['expiredCalls'],
    loggedBlocks: TurnEnd['loggedBlocks'],
  ],
];
export type PackedJoin = [...PackedWrite, ended: readonly (readonly [messageRef: string, reply: Json])[]];

export function packWrite({ messageRef, epoch }: Lease, { frames, journal }: TurnWrite): PackedWrite {
  const packed: (string | number)[] = [];
  for (const { type, messageRef: ref, timestamp, payload } of frames)
    packed.push(type, ref === messageRef ? '' : ref, timestamp, payload);
  return [messageRef, epoch, packed, journal];
}

export function packFinish(lease: Lease, end: TurnEnd): PackedFinish {
  return [...packWrite(lease, end), [end.status, end.reply, end.expiredCalls, end.loggedBlocks]];
}

export function packJoin(lease: Lease, write: JoinWrite): PackedJoin {
  const ended = write.ended.map(({ messageRef, reply }) => [messageRef, reply] as const);
  return [...packWrite(lease, write), ended];
}

export function unpackFrames(packed: PackedFrames, leasedRef: string): FrameRow[] {
  const frames: FrameRow[] = [];
  for (let i = 0; i < packed.length; i += FIELDS_OF_FRAME) {
    const [type, ref, timestamp, payload] = packed.slice(i, i + FIELDS_OF_FRAME) as [DurableType, string, number, Json];
    frames.push({ type, messageRef: ref === '' ? leasedRef : ref, timestamp, payload });
  }
  return frames;
}

/** The seq of the first written frame; undefined if the lease was fenced. */
export type WrittenFrom = number | undefined;

/** Returns the frames as stored: the caller's frames with the seqs from the commit. */
export function unpackWritten(from: WrittenFrom, { sessionId }: Lease, { frames }: TurnWrite): WriteOutcome {
  if (from === undefined) return { kind: 'fenced' };
  const written = frames.map((frame, index): DurableFrame => ({ ...frame, sessionId, seq: from + index }));
  return { kind: 'written', frames: written };
}
