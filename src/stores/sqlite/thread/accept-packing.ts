/** Packs the parameters and the results of `accept`, as packing.ts packs those of other operations. */
import type {
  AcceptedMessage,
  AcceptOutcome,
  Json,
  MessageRuling,
  NewMessage,
  Priority,
  QueueLimits,
  SessionSeed,
} from '../../../core/store/index.js';
import type { SessionMode } from '../../../protocol/index.js';
import type { KeptRecords } from './packing.js';

/** No part of a key contains it. */
const SEPARATOR = '\0';

/** The row of a session to be created. */
export interface SessionSeedRow extends Omit<SessionSeed, 'keyParts'> {
  /** Joined by {@link SEPARATOR}: of most messages the session exists, and its key is not needed. */
  readonly keyParts: string;
}

export function keyAsJson({ keyParts }: SessionSeedRow): Json {
  return JSON.stringify(keyParts.split(SEPARATOR));
}

/** The row of a message to be stored, with the limits that apply. */
export interface NewMessageRow extends Omit<NewMessage, 'session' | 'payload'> {
  readonly session: SessionSeedRow;
  readonly sender: string;
  readonly supersedes: string | undefined;
  /** It is observed even in an activated session. */
  readonly observes: boolean;
  readonly payload: Json;
  readonly limits: QueueLimits;
}

export type PackedNewMessage = [
  tenant: string,
  principal: string,
  clientId: string,
  messageId: string,
  sessionId: string,
  sessionTenant: string,
  mode: SessionMode,
  channel: string,
  agent: string,
  keyParts: string,
  namesSession: boolean,
  sender: string,
  supersedes: string | undefined,
  payload: Json,
  isAddressed: boolean,
  observes: boolean,
  priority: Priority,
  receivedAt: number,
  perSession: number,
  perClient: number,
  total: number,
  perTenant: number | undefined,
  ruling: MessageRuling | undefined,
  trace: string | undefined,
];

export function packNewMessage(message: NewMessage, limits: QueueLimits): PackedNewMessage {
  const { client, session, payload } = message;
  return [
    client.tenant,
    client.principal,
    client.clientId,
    message.messageId,
    session.id,
    session.tenant,
    session.mode,
    session.channel,
    session.agent,
    session.keyParts.join(SEPARATOR),
    message.namesSession,
    payload.sender,
    payload.supersedes,
    JSON.stringify(payload),
    message.isAddressed,
    payload.observe === true,
    message.priority,
    message.receivedAt,
    limits.perSession,
    limits.perClient,
    limits.total,
    limits.perTenant,
    message.ruling,
    message.trace,
  ];
}

export function unpackNewMessage(packed: PackedNewMessage): NewMessageRow {
  const [
    tenant,
    principal,
    clientId,
    messageId,
    sessionId,
    sessionTenant,
    mode,
    channel,
    agent,
    keyParts,
    namesSession,
    sender,
    supersedes,
    payload,
    isAddressed,
    observes,
    priority,
    receivedAt,
    perSession,
    perClient,
    total,
    perTenant,
    ruling,
    trace,
  ] = packed;
  return {
    client: { tenant, principal, clientId },
    messageId,
    session: { id: sessionId, tenant: sessionTenant, mode, channel, agent, keyParts },
    namesSession,
    sender,
    supersedes,
    payload,
    isAddressed,
    observes,
    priority,
    receivedAt,
    limits: { perSession, perClient, total, perTenant },
    ruling,
    trace,
  };
}

/** A message that was stored. */
export interface AcceptedRow extends AcceptedMessage {
  /** The slot in which the calling thread keeps it for its claim. */
  readonly slot?: number;
}
export type AcceptRow = AcceptedRow | Exclude<AcceptOutcome, AcceptedMessage>;

/** A new message that is all that was sent, or another outcome as it is. */
export type PackedOutcome = PackedAccepted | AcceptRow;
type PackedAccepted = readonly [
  messageRef: string,
  isQueued: boolean,
  position: number,
  headSeq: number,
  slot: number | undefined,
  runningRef: string | undefined,
];

export function packOutcome(outcome: AcceptRow, { session }: NewMessageRow): PackedOutcome {
  if (outcome.kind !== 'accepted' || outcome.ended || outcome.reply) return outcome;
  const { messageRef, mode, agent, status, position, headSeq, slot, runningRef } = outcome;
  // The session may have been created with other fields.
  if (mode !== session.mode || agent !== session.agent) return outcome;
  return [messageRef, status === 'queued', position, headSeq, slot, runningRef];
}

/** Returns the outcome, and keeps the message if its claim will not repeat it. */
export function unpackOutcome(packed: PackedOutcome, message: NewMessage, kept: KeptRecords): AcceptOutcome {
  const row = 'kind' in packed ? packed : unpackAccepted(packed, message);
  if (!('slot' in row) || row.slot === undefined) return row;
  const { slot, ...outcome } = row;
  const { messageRef } = outcome;
  const { messageId, client, session, payload, priority, receivedAt, trace } = message;
  const stored = { messageRef, messageId, client, sessionId: session.id, payload, priority, receivedAt };
  kept.messages[slot] = trace === undefined ? stored : { ...stored, trace };
  return outcome;
}

function unpackAccepted(packed: PackedAccepted, { session, priority }: NewMessage): AcceptedRow {
  const [messageRef, isQueued, position, headSeq, slot, runningRef] = packed;
  return {
    kind: 'accepted',
    messageRef,
    sessionId: session.id,
    mode: session.mode,
    agent: session.agent,
    status: isQueued ? 'queued' : 'observed',
    priority,
    position,
    headSeq,
    ...(slot !== undefined && { slot }),
    ...(runningRef !== undefined && { runningRef }),
  };
}
