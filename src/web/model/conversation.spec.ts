import { describe, expect, it } from 'vitest';
import type { OutboundFrame, SessionPosition } from '../../client/index.js';
import { Conversation } from './conversation.js';
import { OtherConversations } from './other-conversations.js';

const end = (seq: number) =>
  ({
    type: 'stream_end',
    id: `e${seq}`,
    timestamp: seq,
    session_id: 's',
    seq,
    payload: { message_ref: `m${seq}`, message_id: `i${seq}`, reason: 'stop' },
  }) as unknown as OutboundFrame;

describe('replies that end in a conversation', () => {
  it('are counted until it is seen, also by another tab of the browser', () => {
    const conversation = new Conversation('web-1', 's');
    conversation.take(end(3), true);
    for (const isLive of [true, false]) conversation.take(end(7), isLive);
    expect(conversation.unread).toBe(2);
    conversation.seenUpTo = 3;
    expect(conversation.unread).toBe(1);
    expect([conversation.see(), conversation.unread, conversation.known.seenUpTo]).toEqual([true, 0, 7]);
    expect(conversation.see()).toBe(false);
  });

  it('are counted once when they are read from the log again', () => {
    const conversation = Conversation.from({ sender: 'web-1', sessionId: 's', seenUpTo: 7 });
    conversation.take(end(3), false);
    conversation.take(end(7), false);
    expect(conversation.unread).toBe(0);
  });

  it('add nothing to a transcript that is not read yet', () => {
    const conversation = new Conversation('web-1', 's');
    conversation.take(end(3), true);
    expect(conversation.transcript.messages).toEqual([]);
  });

  it('are counted from its beginning in another session', () => {
    const conversation = Conversation.from({ sender: 'web-1', sessionId: 's', seenUpTo: 7 });
    conversation.startNewSession();
    conversation.take(end(1), true);
    expect(conversation.unread).toBe(1);
  });
});

describe('the conversations that a tab has not shown', () => {
  const known = (sender: string, seenUpTo: number) => Conversation.from({ sender, sessionId: sender, seenUpTo });
  const aClient = () => {
    const asked: SessionPosition[] = [];
    return {
      asked,
      async resume(positions: readonly SessionPosition[]) {
        asked.push(...positions);
        return [];
      },
    };
  };

  it('are followed from where they were seen, once for each client', () => {
    const [others, first, second] = [new OtherConversations(), aClient(), aClient()];
    const read = known('read', 2);
    read.transcript.isLoaded = true;
    const listed = [known('a', 5), known('never-seen', 0), read, new Conversation('empty', undefined)];
    others.follow(first, listed);
    others.follow(first, [...listed, known('b', 1)]);
    others.follow(second, listed.slice(0, 1));
    expect(first.asked).toEqual([
      { session_id: 'a', after_seq: 5 },
      { session_id: 'b', after_seq: 1 },
    ]);
    expect(second.asked).toEqual([{ session_id: 'a', after_seq: 5 }]);
  });

  it('are followed up to a number', () => {
    const client = aClient();
    const listed = Array.from({ length: 60 }, (_, i) => known(`c${i}`, 1));
    new OtherConversations().follow(client, listed);
    expect(client.asked).toHaveLength(50);
  });
});
