import type { MessageInPayload } from '../../protocol/domain.js';
import type { ClientKey, StoredMessage } from '../store/index.js';

const CLIENT_ID = 'cron';
const PRINCIPAL_PREFIX = 'cron:';

/** The facts of a firing of a job besides its text, which the metadata of its message holds under `cron`. */
export interface FiringFacts {
  readonly job_id: string;
  /** The due time, in ISO 8601 with the offset of the job's zone. */
  readonly due: string;
  /** The time limit of its turn in milliseconds, if it has its own. */
  readonly timeout_ms?: number;
  /** Time for which an approval waits for a person, in milliseconds; 0 if calls that need one are denied at once. */
  readonly approval_wait_ms: number;
  /** The permissions of the job's maker: the turn holds no others. Undefined for a job of an operator. */
  readonly permissions?: readonly string[];
  /** A text that begins with `/` is a command. */
  readonly may_command: boolean;
  /** The text is for the people of the chat: it is shown as it is, and no agent reads it. */
  readonly is_notice?: boolean;
}

export function toMetadata(facts: FiringFacts): NonNullable<MessageInPayload['metadata']> {
  return { cron: facts };
}

/** Returns whether a message is of a job. No credential can have the principal of one. */
export function isFiring({ client }: Pick<StoredMessage, 'client'>): boolean {
  return isOfJob(client);
}

/** Returns whether a client is a job. */
export function isOfJob({ clientId, principal }: ClientKey): boolean {
  return clientId === CLIENT_ID && principal.startsWith(PRINCIPAL_PREFIX);
}

/** Returns whether an ID of a message is one of a job. Those of platforms begin with the name of the platform. */
export function isFiringId(messageId: string): boolean {
  return messageId.startsWith(PRINCIPAL_PREFIX);
}

/** Returns the facts of a firing; undefined for every other message. */
export function readFiring(message: Pick<StoredMessage, 'client' | 'payload'>): FiringFacts | undefined {
  return isFiring(message) ? (message.payload.metadata?.['cron'] as FiringFacts | undefined) : undefined;
}
