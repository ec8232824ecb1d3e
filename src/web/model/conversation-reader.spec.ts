import { expect, it } from 'vitest';
import type { GatewayClient, OutboundFrame, WebchatIdentity } from '../../client/index.js';
import { FakeStorage } from '../../testing/fake-storage.js';
import { Conversation } from './conversation.js';
import { ConversationReader } from './conversation-reader.js';
import { Conversations } from './conversations.js';
import { PageStorage } from './page-storage.js';

it('reads a conversation back to a message also while its newest messages are being read', async () => {
  const page = { messages: [], head_seq: 0, next_before: 'older' } as unknown as OutboundFrame<'history'>['payload'];
  let send = (_page: typeof page) => {};
  const newest = new Promise<typeof page>((resolve) => (send = resolve));
  const asked: string[] = [];
  const client = {
    history: (_sessionId: string, { before = 'newest' }: { before?: string }) => {
      asked.push(before);
      if (before === 'newest') return newest;
      return Promise.resolve({ messages: [], head_seq: 0 });
    },
    resume: () => Promise.resolve([]),
  } as unknown as GatewayClient;
  const conversation = new Conversation('web-a', 's1');
  const conversations = new Conversations(
    new PageStorage(() => ({ local: new FakeStorage(), session: new FakeStorage() })),
  );
  const reader = new ConversationReader(
    conversations,
    { client, quality: 'connected', identity: {} as WebchatIdentity },
    () => {},
    () => {},
  );
  const [first, second] = [reader.load(conversation), reader.loadUntil(conversation, 'm_1')];
  // The second one has seen that the first one reads.
  await new Promise((resolve) => setTimeout(resolve));
  conversation.take({ type: 'history', id: 'f', timestamp: 1, session_id: 's1', payload: page }, true);
  send(page);
  await Promise.all([first, second]);
  expect(asked).toEqual(['newest', 'older']);
});
