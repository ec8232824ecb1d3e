import type { AgentDefinition } from '../core/agents/agent-definition.js';
import { ROLE_SCOPES, type Principal } from '../core/identity/principal.js';
import type { MessageInPayload } from '../protocol/index.js';
import type {
  Approval,
  Claim,
  ClientKey,
  DurableFrame,
  Json,
  NewFrame,
  NewMessage,
  QueueLimits,
  Reply,
  SessionSeed,
  TurnEnd,
} from '../core/store/index.js';

/** Limits that are too high to be reached by accident. */
export const GENEROUS_LIMITS: QueueLimits = { perSession: 1_000_000, perClient: 1_000_000, total: 1_000_000 };

/** A client identity. Tests override only the fields that matter to them. */
export function aClient(changes: Partial<ClientKey> = {}): ClientKey {
  return { tenant: 'default', principal: 'tester', clientId: 'client-1', ...changes };
}

/** The agent `main` with the model `local/test-model`. */
export function anAgent(changes: Partial<AgentDefinition> = {}): AgentDefinition {
  return {
    id: 'main',
    name: 'openclaw',
    description: undefined,
    tenant: 'default',
    isDefault: false,
    runtime: 'auto',
    model: 'local/test-model',
    fallbacks: [],
    thinking: undefined,
    maxOutputTokens: undefined,
    turnTimeoutMs: 600_000,
    busyPolicy: undefined,
    systemPrompt: '',
    promptFiles: [],
    skills: [],
    permissions: [],
    tools: { allow: undefined, deny: [] },
    workspace: 'session',
    ...changes,
  };
}

/** A person who uses the channel `test` as `sender`. */
export function aUser(sender: string): Principal {
  return {
    tenant: 'default',
    principal: sender,
    role: 'user',
    scopes: new Set(ROLE_SCOPES.user),
    channels: ['test'],
    sender,
  };
}

/** The main session of one sender. */
export function aSession(name = 'alice', changes: Partial<SessionSeed> = {}): SessionSeed {
  return {
    id: `s_${name}`,
    tenant: 'default',
    mode: 'main',
    channel: 'test',
    agent: 'main',
    keyParts: [name],
    ...changes,
  };
}

/** The payload of a `message_in`. */
export function aPayload(changes: Partial<MessageInPayload> = {}): MessageInPayload {
  return { channel: 'test', sender: 'alice', content: 'hello', ...changes };
}

let messages = 0;

/** A message to accept: a new id each time, addressed to the agent, priority 1. */
export function aMessage(changes: Partial<NewMessage> = {}): NewMessage {
  const messageId = changes.messageId ?? `id-${++messages}`;
  return {
    client: aClient(),
    messageId,
    session: aSession(),
    namesSession: false,
    payload: aPayload(),
    isAddressed: true,
    priority: 1,
    receivedAt: 1_800_000_000_000,
    ...changes,
  };
}

/** A frame of the claimed message. */
export function aFrame({ message }: Claim, content = 'a block', changes: Partial<NewFrame> = {}): NewFrame {
  const { messageRef, messageId } = message;
  return {
    type: 'stream_block',
    messageRef,
    messageId,
    timestamp: 1_800_000_000_000,
    payload: JSON.stringify({ message_ref: messageRef, content }),
    ...changes,
  };
}

/** A reply of one block, as JSON. */
export function aReply(changes: Partial<Reply> = {}): Json {
  const blocks: Reply['blocks'] = [{ block_id: 'b1', block_type: 'text', content: 'a block' }];
  return JSON.stringify({ blocks, reason: 'stop', endedAt: 1_800_000_000_000, ...changes } satisfies Reply);
}

/** The last write of the claimed message's turn: its `stream_end` and a reply of one block. */
export function anEnd(claim: Claim, changes: Partial<TurnEnd> = {}): TurnEnd {
  return {
    frames: [aFrame(claim, 'the end', { type: 'stream_end' })],
    journal: [],
    status: 'done',
    reply: aReply(),
    ...changes,
  };
}

/** An approval without a decision. */
export function anApproval(changes: Partial<Approval> = {}): Approval {
  return {
    approvalId: 'a_1',
    tenant: 'default',
    sessionId: 's_alice',
    messageRef: 'm',
    callId: 'c_1',
    tool: 'test.pay',
    arguments: '{"amount":5}',
    argumentsSha256: '0'.repeat(64),
    expiresAt: 5,
    ...changes,
  };
}

/** The `stream_end` of a message that was cancelled before it ran, the first frame of the session `s_alice`. */
export function aCancelledEnd(messageRef: string, messageId: string, timestamp: number): DurableFrame {
  const payload = JSON.stringify({ id: messageId, message_ref: messageRef, reason: 'cancelled', blocks: 0 });
  return { sessionId: 's_alice', seq: 1, type: 'stream_end', messageRef, messageId, timestamp, payload };
}
