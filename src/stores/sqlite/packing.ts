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
} from '../../core/store/index.js';
import { BoundedMap } from '../../core/cache/bounded-map.js';
import type { DurableType, MessageStatus } from '../../protocol/index.js';
import type { ClaimedSession } from './directory.js';

/** Number of sessions that claims share, each of a kilobyte with its text. */
const MAX_KNOWN_SESSIONS = 1_024;

/** The row of a message. */
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
];

export function packMessage({ client, ...message }: MessageRow): PackedMessage {
  const { messageRef, messageId, sessionId, priority, receivedAt, payload } = message;
  const { tenant, principal, clientId } = client;
  return [messageRef, messageId, tenant, principal, clientId, sessionId, priority, receivedAt, payload];
}

export function unpackMessage(packed: PackedMessage): StoredMessage {
  const [messageRef, messageId, tenant, principal, clientId, sessionId, priority, receivedAt, payload] = packed;
  const client = { tenant, principal, clientId };
  const parsed = JSON.parse(payload) as StoredMessage['payload'];
  return { messageRef, messageId, client, sessionId, payload: parsed, priority, receivedAt };
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

/** The rows of a claim. */
export interface ClaimRow extends Omit<Claim, 'lease' | 'message' | 'session'> {
  readonly message: MessageRow;
  readonly session: ClaimedSession;
  readonly headSeq: number;
  readonly epoch: number;
}

export type PackedClaim = readonly [
  message: PackedMessage,
  epoch: number,
  attempt: number,
  interruptions: number,
  cancelRequested: boolean,
  session: Json,
  lastActive: number,
  headSeq: number,
];
export type PackedClaims = readonly [claims: readonly PackedClaim[], nextDueAt: number | undefined];

export function packClaims(claims: readonly ClaimRow[], nextDueAt: number | undefined): PackedClaims {
  const packed = claims.map(
    ({ message, epoch, attempt, interruptions, cancelRequested, session: { fields, lastActive }, headSeq }) =>
      [packMessage(message), epoch, attempt, interruptions, cancelRequested, fields, lastActive, headSeq] as const,
  );
  return [packed, nextDueAt];
}

export function unpackClaims([claims, nextDueAt]: PackedClaims, replicaId: string): ClaimResult {
  return {
    claims: claims.map((claim) => unpackClaim(claim, replicaId)),
    ...(nextDueAt !== undefined && { nextDueAt }),
  };
}

function unpackClaim(packed: PackedClaim, replicaId: string): Claim {
  const [packedMessage, epoch, attempt, interruptions, cancelRequested, fields, lastActive, headSeq] = packed;
  const message = unpackMessage(packedMessage);
  const { sessionId, messageRef } = message;
  return {
    lease: { sessionId, replicaId, epoch, messageRef },
    message,
    session: { ...parseSession(fields), lastActive, headSeq },
    attempt,
    interruptions,
    cancelRequested,
  };
}

type SessionFields = Omit<Session, 'lastActive' | 'headSeq'>;

/** The sessions of the last claims by their text, since most claims are of a session that was claimed before. */
const knownSessions = new BoundedMap<Json, SessionFields>(MAX_KNOWN_SESSIONS);

function parseSession(fields: Json): SessionFields {
  let session = knownSessions.get(fields);
  if (!session) knownSessions.set(fields, (session = JSON.parse(fields) as SessionFields));
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

type PackedFrame = readonly [type: DurableType, messageRef: string, timestamp: number, payload: Json];
export type PackedWrite = [
  messageRef: string,
  epoch: number,
  frames: readonly PackedFrame[],
  journal: readonly JournalEntry[],
];
export type PackedFinish = [
  ...PackedWrite,
  end: readonly [status: TurnEnd['status'], reply: Json, expiredCalls: TurnEnd['expiredCalls']],
];
export type PackedJoin = [...PackedWrite, ended: readonly (readonly [messageRef: string, reply: Json])[]];

export function packWrite({ messageRef, epoch }: Lease, { frames, journal }: TurnWrite): PackedWrite {
  return [messageRef, epoch, frames.map(packFrame), journal];
}

function packFrame({ type, messageRef, timestamp, payload }: NewFrame): PackedFrame {
  return [type, messageRef, timestamp, payload];
}

export function packFinish(lease: Lease, end: TurnEnd): PackedFinish {
  return [...packWrite(lease, end), [end.status, end.reply, end.expiredCalls]];
}

export function packJoin(lease: Lease, write: JoinWrite): PackedJoin {
  const ended = write.ended.map(({ messageRef, reply }) => [messageRef, reply] as const);
  return [...packWrite(lease, write), ended];
}

export function unpackFrames(frames: readonly PackedFrame[]): FrameRow[] {
  return frames.map(([type, messageRef, timestamp, payload]) => ({ type, messageRef, timestamp, payload }));
}

/** The seq of the first written frame; undefined if the lease was fenced. */
export type WrittenFrom = number | undefined;

/** Returns the frames as stored: the caller's frames with the seqs from the commit. */
export function unpackWritten(from: WrittenFrom, { sessionId }: Lease, { frames }: TurnWrite): WriteOutcome {
  if (from === undefined) return { kind: 'fenced' };
  const written = frames.map((frame, index): DurableFrame => ({ ...frame, sessionId, seq: from + index }));
  return { kind: 'written', frames: written };
}
