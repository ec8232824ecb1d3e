import { readFiring } from '../sessions/firing.js';
import type { ClientKey, StoredMessage } from '../store/index.js';

const CLIENT_ID = 'ask';
const PRINCIPAL_PREFIX = 'agent:';

/** The turn of the person on whose behalf agents ask: approvals that they need are shown in its session. */
export interface PersonalTurn {
  readonly sessionId: string;
  readonly messageRef: string;
  /** Maximum wait for an approval, in milliseconds; 0 if no person can decide. Undefined in the turn of a person. */
  readonly approvalWaitMs?: number;
}

/** The facts of a question besides its text, which the metadata of its message holds. */
export interface QuestionFacts {
  readonly personal: PersonalTurn;
  /** The IDs of the agents that wait for the answer, the first one that asked first. */
  readonly chain: readonly string[];
  /** The permissions of the asking turn: the asked one holds no others. */
  readonly permissions: readonly string[];
}

/** Returns the client of an agent's questions. No credential can have its principal. */
export function clientOf(tenant: string, agent: string): ClientKey {
  return { tenant, principal: `${PRINCIPAL_PREFIX}${agent}`, clientId: CLIENT_ID };
}

/** Returns the facts of a question; undefined for a message of a person. */
export function readQuestion({
  client,
  payload,
}: Pick<StoredMessage, 'client' | 'payload'>): QuestionFacts | undefined {
  if (client.clientId !== CLIENT_ID || !client.principal.startsWith(PRINCIPAL_PREFIX)) return undefined;
  return payload.metadata as unknown as QuestionFacts;
}

/** Returns the turn of the person for a message: its own, unless it is a question. */
export function personalTurnOf(
  message: Pick<StoredMessage, 'client' | 'payload' | 'sessionId' | 'messageRef'>,
): PersonalTurn {
  const { sessionId, messageRef } = message;
  const approvalWaitMs = readFiring(message)?.approval_wait_ms;
  const own = { sessionId, messageRef, ...(approvalWaitMs !== undefined && { approvalWaitMs }) };
  return readQuestion(message)?.personal ?? own;
}
