import { hash } from 'node:crypto';
import type { NodeCommand } from '../../protocol/domain.js';
import { matchesPattern } from '../agents/name-pattern.js';
import type { NodeRecord } from '../store/index.js';
import { canonicalise } from '../store/canonical-json.js';

/** Maximum number of commands of a node; more than a model can choose from. */
export const MAX_COMMANDS = 256;

/** Maximum number of commands that are known of a node, those that it does not offer any more included. */
export const MAX_KNOWN_COMMANDS = 1_024;

export const DEFAULT_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 1_000;

const COMMAND_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const MAX_TOOL_NAME_LENGTH = 128;

/** The kept part of a command. A change of anything in it waits for an operator. */
export type CommandDefinition = Required<Pick<NodeCommand, 'description' | 'parameters' | 'permissions'>> &
  Required<Pick<NodeCommand, 'timeout_ms' | 'idempotent' | 'dangerous'>>;

export function toolNameOf(nodeId: string, command: string): string {
  return `node.${nodeId}.${command}`;
}

/** Returns why a command cannot be offered, whatever its schema is; undefined if it can. */
export function refuseCommand({ nodeId, allow }: NodeRecord, command: NodeCommand): string | undefined {
  const { name, timeout_ms: timeoutMs = DEFAULT_TIMEOUT_MS, dangerous = false } = command;
  if (!COMMAND_NAME.test(name)) return `its name must match ${COMMAND_NAME.source}`;
  if (name.startsWith('node.')) return 'its name must not begin with node., which names another node';
  if (toolNameOf(nodeId, name).length > MAX_TOOL_NAME_LENGTH) return 'its name is too long';
  if (!Number.isInteger(timeoutMs) || timeoutMs < MIN_TIMEOUT_MS)
    return `its timeout_ms must be an integer of at least ${MIN_TIMEOUT_MS}`;
  if (isAllowed(allow, name, dangerous)) return undefined;
  return allow === undefined
    ? 'it is dangerous and the pairing does not allow it by name'
    : 'the pairing does not allow it';
}

/** Returns whether a node may offer a command: by the patterns, or without any if it is not dangerous. */
export function isAllowed(allow: readonly string[] | undefined, name: string, isDangerous: boolean): boolean {
  return allow === undefined ? !isDangerous : allow.some((pattern) => matchesPattern(name, pattern));
}

/** Returns what is kept of a command, as canonical JSON. */
export function encodeDefinition(command: NodeCommand): string {
  const { description, parameters, permissions = [], timeout_ms = DEFAULT_TIMEOUT_MS } = command;
  const { idempotent = false, dangerous = false } = command;
  const definition: CommandDefinition = { description, parameters, permissions, timeout_ms, idempotent, dangerous };
  return canonicalise(definition);
}

/** Returns the SHA-256 of the kept part of a command, in hexadecimal. */
export function hashDefinition(definition: string): string {
  return hash('sha256', definition, 'hex');
}

export function decodeDefinition(definition: string): CommandDefinition {
  return JSON.parse(definition) as CommandDefinition;
}
