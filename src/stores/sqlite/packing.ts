/**
 * Records as they travel between the threads: flat lists of numbers and texts, with JSON left as text. Handing over an
 * object costs three times as much, because the name of every field travels with it.
 */
import type {
  AcceptedMessage,
  AcceptOutcome,
  Claim,
  Json,
  Lease,
  MessageWithReply,
  NewFrame,
  NewMessage,
  Priority,
  QueueLimits,
  Reply,
  Session,
  StoredMessage,
  StoredReaction,
  TurnEnd,
} from '../../core/store/index.js';
import type { DurableType, MessageStatus, SessionMode } from '../../protocol/index.js';

export type PackedNewMessage = readonly [
  tenant: string,
  principal: string,
  clientId: string,
  messageId: string,
  bodyHash: string,
  sessionId: string,
  sessionTenant: string,
  mode: SessionMode,
  channel: string,
  keyParts: Json,
  sender: string,
  payload: Json,
  queued: boolean,
  priority: Priority,
  receivedAt: number,
  perSession: number,
  perClient: number,
  total: number,
];

export function packNewMessage(message: NewMessage, limits: QueueLimits): PackedNewMessage {
  const { client, session, payload } = message;
  return [
    client.tenant,
    client.principal,
    client.clientId,
    message.messageId,
    message.bodyHash,
    session.id,
    session.tenant,
    session.mode,
    session.channel,
    JSON.stringify(session.keyParts),
    payload.sender,
    JSON.stringify(payload),
    message.disposition === 'queue',
    message.priority,
    message.receivedAt,
    limits.perSession,
    limits.perClient,
    limits.total,
  ];
}

/** A message that is stored, or why it is not. */
export type PackedOutcome = PackedAccepted | Exclude<AcceptOutcome, AcceptedMessage>;
export type PackedAccepted = readonly [
  kind: AcceptedMessage['kind'],
  messageRef: string,
  sessionId: string,
  mode: SessionMode,
  status: MessageStatus,
  priority: Priority,
  position: number,
  headSeq: number,
  runningRef: string | undefined,
];

export function unpackOutcome(outcome: PackedOutcome): AcceptOutcome {
  if ('kind' in outcome) return outcome;
  const [kind, messageRef, sessionId, mode, status, priority, position, headSeq, runningRef] = outcome;
  return {
    kind,
    messageRef,
    sessionId,
    mode,
    status,
    priority,
    position,
    headSeq,
    ...(runningRef !== undefined && { runningRef }),
  };
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

export function unpackMessage(message: PackedMessage): StoredMessage {
  const [messageRef, messageId, tenant, principal, clientId, sessionId, priority, receivedAt, payload] = message;
  return {
    messageRef,
    messageId,
    client: { tenant, principal, clientId },
    sessionId,
    payload: JSON.parse(payload) as StoredMessage['payload'],
    priority,
    receivedAt,
  };
}

export type PackedMessageWithReply = readonly [
  message: PackedMessage,
  status: MessageStatus,
  reply: Json | undefined,
  reactions: Json,
];

export function unpackMessageWithReply([message, status, reply, reactions]: PackedMessageWithReply): MessageWithReply {
  return {
    ...unpackMessage(message),
    status,
    reactions: JSON.parse(reactions) as StoredReaction[],
    ...(reply !== undefined && { reply: JSON.parse(reply) as Reply }),
  };
}

export type PackedClaim = readonly [
  message: PackedMessage,
  epoch: number,
  attempt: number,
  interruptions: number,
  cancelRequested: boolean,
  session: Session,
];

export function unpackClaim(
  [packed, epoch, attempt, interruptions, cancelRequested, session]: PackedClaim,
  replicaId: string,
): Claim {
  const message = unpackMessage(packed);
  const { sessionId, messageRef } = message;
  return {
    lease: { sessionId, replicaId, epoch, messageRef },
    message,
    session,
    attempt,
    interruptions,
    cancelRequested,
  };
}

/** What tells one lease from all others of this database. */
export type LeaseKey = readonly [messageRef: string, epoch: number];

export function packLease({ messageRef, epoch }: Lease): LeaseKey {
  return [messageRef, epoch];
}

/** The `messageId` stays behind: it stands with the message. */
export type PackedFrame = readonly [type: DurableType, messageRef: string, timestamp: number, payload: Json];

export function packFrame({ type, messageRef, timestamp, payload }: NewFrame): PackedFrame {
  return [type, messageRef, timestamp, payload];
}

export type PackedEnd = readonly [status: TurnEnd['status'], reply: Json];

export function packEnd({ status, reply }: Pick<TurnEnd, 'status' | 'reply'>): PackedEnd {
  return [status, JSON.stringify(reply)];
}
