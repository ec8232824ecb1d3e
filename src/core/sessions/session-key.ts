import { hash } from 'node:crypto';
import type { MessageInPayload, SessionMode } from '../../protocol/domain.js';
import type { SessionSeed } from '../store/index.js';

type Routed = Pick<MessageInPayload, 'channel' | 'sender' | 'group_id' | 'thread_id' | 'queue'>;

/**
 * The session that a message belongs to by its key (protocol.md section 9): a queue when it names one, else the group it
 * was written in, else the sender's own.
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

export function inferSessionMode(message: Routed): SessionMode {
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

/** Each part goes in with its length, so that no two lists of parts give the same text. */
function buildSessionId(parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  return remembered.get(text) ?? remember(text, `s_${hash('sha256', text, 'base64url').slice(0, 32)}`);
}

/** People write more than once: their ids are kept, up to a number after which all are forgotten. */
const MOST_REMEMBERED = 4_096;
const remembered = new Map<string, string>();

function remember(text: string, id: string): string {
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(text, id);
  return id;
}
