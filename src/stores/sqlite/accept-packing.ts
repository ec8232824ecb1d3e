/** Packs the parameters and the results of `accept`, as packing.ts packs those of other operations. */
import type {
  AcceptedMessage,
  AcceptOutcome,
  DurableFrame,
  Json,
  MessageRuling,
  NewMessage,
  Priority,
  QueueLimits,
  SessionSeed,
} from '../../core/store/index.js';
import type { MessageStatus, SessionMode } from '../../protocol/index.js';

/** No part of a key contains it. */
const SEPARATOR = '\0';

/** The row of a session to be created. */
export interface SessionSeedRow extends Omit<SessionSeed, 'keyParts'> {
  /** Joined by {@link SEPARATOR}: of most messages the session exists, and its key is not needed. */
  readonly keyParts: string;
}

/** Returns the key of a session as JSON. */
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
  ruling: MessageRuling | undefined,
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
    message.ruling,
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
    ruling,
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
    limits: { perSession, perClient, total },
    ruling,
  };
}

/** A packed accepted message, or the reason why it was not stored. */
export type PackedOutcome = PackedAccepted | Exclude<AcceptOutcome, AcceptedMessage>;
type PackedAccepted = readonly [
  kind: AcceptedMessage['kind'],
  messageRef: string,
  sessionId: string,
  mode: SessionMode,
  agent: string,
  status: MessageStatus,
  priority: Priority,
  position: number,
  headSeq: number,
  runningRef: string | undefined,
  ended: DurableFrame | undefined,
  reply: readonly DurableFrame[] | undefined,
];

export function packOutcome(outcome: AcceptOutcome): PackedOutcome {
  if (!('messageRef' in outcome)) return outcome;
  const { kind, messageRef, sessionId, mode, agent, status, priority, position, headSeq, runningRef, ended, reply } =
    outcome;
  return [kind, messageRef, sessionId, mode, agent, status, priority, position, headSeq, runningRef, ended, reply];
}

export function unpackOutcome(packed: PackedOutcome): AcceptOutcome {
  if ('kind' in packed) return packed;
  const [kind, messageRef, sessionId, mode, agent, status, priority, position, headSeq, runningRef, ended, reply] =
    packed;
  return {
    kind,
    messageRef,
    sessionId,
    mode,
    agent,
    status,
    priority,
    position,
    headSeq,
    ...(runningRef !== undefined && { runningRef }),
    ...(ended && { ended }),
    ...(reply && { reply }),
  };
}
