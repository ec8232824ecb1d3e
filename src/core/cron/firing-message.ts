import type { MessageInPayload } from '../../protocol/domain.js';
import { toMetadata, type FiringFacts } from '../sessions/firing.js';
import { buildSessionSeed } from '../sessions/session-key.js';
import type { Json, SessionSeed } from '../store/index.js';
import type { Chat, JobDefinition } from './job.js';

/** The channel of isolated runs whose answers go nowhere. */
const CRON_CHANNEL = 'cron';
/** Shown as the author. */
const AUTHOR = 'cron';

/** A message of a job, as it is stored with its run: a repeat submits the same one. */
export interface FiringMessage {
  readonly session: SessionSeed;
  readonly payload: MessageInPayload;
}

/** The place of a message, besides its text. */
export type FiringPlace = Pick<MessageInPayload, 'channel' | 'sender' | 'group_id' | 'thread_id' | 'queue'>;

/** Returns the place of a firing: the chat of its target, or a session of its own. */
export function placeOf({ target }: JobDefinition, jobId: string, firingId: string): FiringPlace {
  if (!('isolated' in target)) return placeOfChat(target, jobId);
  const chat = target.deliverTo
    ? placeOfChat(target.deliverTo, jobId)
    : { channel: CRON_CHANNEL, sender: authorOf(jobId) };
  return { ...chat, queue: firingId };
}

/** Returns the place of a message to a chat. */
export function placeOfChat(chat: Chat, jobId: string): FiringPlace {
  if ('sender' in chat) return { channel: chat.channel, sender: chat.sender };
  const { channel, groupId, threadId } = chat;
  return {
    channel,
    sender: authorOf(jobId),
    group_id: groupId,
    ...(threadId !== undefined && { thread_id: threadId }),
  };
}

/** Builds a message, as JSON. @param agent the ID of the agent that answers */
export function buildMessage(
  tenant: string,
  agent: string,
  place: FiringPlace,
  content: string,
  facts: FiringFacts,
): { readonly json: Json; readonly session: SessionSeed } {
  const session = buildSessionSeed(tenant, place, agent);
  const payload = { ...place, content, sender_name: AUTHOR, metadata: toMetadata(facts) };
  return { json: JSON.stringify({ session, payload } satisfies FiringMessage), session };
}

function authorOf(jobId: string): string {
  return `cron:${jobId}`;
}
