import { hash } from 'node:crypto';
import type { MessageInPayload, SessionMode } from '../../protocol/domain.js';
import { MAIN_AGENT } from '../agents/agent-setting.js';
import { BoundedMap } from '../cache/bounded-map.js';
import type { SessionSeed } from '../store/index.js';

/** Recent sessions by the text that is hashed: looking one up costs less than hashing. */
const seeds = new BoundedMap<string, SessionSeed>(4_096);

type Routed = Pick<MessageInPayload, 'channel' | 'sender' | 'group_id' | 'thread_id' | 'queue'>;

/**
 * Returns the session of a message by its key (protocol.md section 9): the queue if it names one, else the group it was
 * written in, else the sender's own. The key of every agent but `main` holds its ID, so the same chat under another agent
 * is another session. Messages of one session get the same object while it is in use.
 */
export function buildSessionSeed(tenant: string, message: Routed, agent = MAIN_AGENT): SessionSeed {
  const { channel } = message;
  const mode = inferSessionMode(message);
  // Each part has its length, so that no two lists of parts give the same id.
  const text =
    measured(tenant) +
    measured(agent === MAIN_AGENT ? mode : `${mode}@${agent}`) +
    measured(channel) +
    buildKeyText(mode, message);
  let seed = seeds.get(text);
  if (!seed) {
    const id = `s_${hash('sha256', text, 'base64url').slice(0, 32)}`;
    seed = { id, tenant, mode, channel, agent, keyParts: listKeyParts(mode, message) };
    seeds.set(text, seed);
  }
  return seed;
}

function inferSessionMode(message: Routed): SessionMode {
  if (message.queue !== undefined) return 'queue';
  return message.group_id === undefined ? 'main' : 'group';
}

function buildKeyText(mode: SessionMode, message: Routed): string {
  return mode === 'main' ? measured(message.sender) : listKeyParts(mode, message).map(measured).join('');
}

function measured(part: string): string {
  return `${part.length}:${part}`;
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
