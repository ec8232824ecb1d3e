import { SKILLS_PERMISSION, type AgentDefinition } from '../agents/agent-definition.js';
import { parseCommand, type Command } from '../sessions/activation.js';
import { readFiring } from '../sessions/firing.js';
import type { ClientKey, Session, StoredMessage } from '../store/index.js';

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

/**
 * Returns the command that a message is, if it is one. No command is read in a question, nor in the firing of a job whose maker
 * may give none.
 */
export function readCommand(
  message: Pick<StoredMessage, 'client' | 'payload'>,
  agentName: string,
): Command | undefined {
  if (readQuestion(message) || readFiring(message)?.may_command === false) return undefined;
  return parseCommand(message.payload.content, agentName);
}

/** Returns the permissions that the turn of a message is limited to: for a question those of the asking turn, for a firing those of its maker. */
function limitOf(message: StoredMessage): readonly string[] | undefined {
  return readQuestion(message)?.permissions ?? readFiring(message)?.permissions;
}

/**
 * Returns the agent of a message, with only those of its permissions that the turn may hold. It keeps
 * its skills, which are its operator's text, as its system prompt is, and give no right to anything else.
 */
export function limitAgent(agent: AgentDefinition, message: StoredMessage): AgentDefinition {
  const limit = limitOf(message);
  if (!limit) return agent;
  return { ...agent, permissions: intersect(agent.permissions, [...limit, SKILLS_PERMISSION]) };
}

/** Returns the session of a message, with only those permissions that the turn may hold. */
export function limitSession(session: Session, message: StoredMessage): Session {
  const limit = limitOf(message);
  return limit ? { ...session, toolPermissions: intersect(session.toolPermissions, limit) } : session;
}

function intersect(own: readonly string[], held: readonly string[]): readonly string[] {
  return own.filter((permission) => held.includes(permission));
}
