import { SKILLS_PERMISSION, type AgentDefinition } from '../agents/agent-definition.js';
import { parseCommand, type Command } from '../sessions/activation.js';
import { readFiring } from '../sessions/firing.js';
import type { Session, StoredMessage } from '../store/index.js';
import { readQuestion } from './question.js';

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
