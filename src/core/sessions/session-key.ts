import { hash } from 'node:crypto';
import type { MessageInPayload, SessionMode } from '../../protocol/domain.js';
import { BoundedMap } from '../cache/bounded-map.js';
import type { SessionSeed } from '../store/index.js';

/** Ids of recent sessions by the text that is hashed: looking one up costs less than hashing. */
const ids = new BoundedMap<string, string>(4_096);

type Routed = Pick<MessageInPayload, 'channel' | 'sender' | 'group_id' | 'thread_id' | 'queue'>;

/**
 * Returns the session of a message by its key (protocol.md section 9): the queue if it names one, else the group it was
 * written in, else the sender's own.
 */
export function buildSessionSeed(tenant: string, message: Routed): SessionSeed {
  const mode = inferSessionMode(message);
  const keyParts = listKeyParts(mode, message);
  return {
    id: buildSessionId([tenant, mode, message.channel, ...keyParts]),
    tenant,
    mode,
    channel: message.channel,
    keyParts,
  };
}

function inferSessionMode(message: Routed): SessionMode {
  if (message.queue !== undefined) return 'queue';
  return message.group_id === undefined ? 'main' : 'group';
}

function listKeyParts(mode: SessionMode, message: Routed): string[] {
  switch (mode) {
    case 'main':
      return [message.sender];
    case 'queue':
      return [message.queue ?? ''];
    case 'group':
      return message.thread_id === undefined ? [message.group_id ?? ''] : [message.group_id ?? '', message.thread_id];
  }
}

/** Hashes each part with its length, so that no two lists of parts give the same id. */
function buildSessionId(parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  const known = ids.get(text);
  if (known !== undefined) return known;
  const id = `s_${hash('sha256', text, 'base64url').slice(0, 32)}`;
  ids.set(text, id);
  return id;
}
