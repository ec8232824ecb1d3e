import { describe, expect, it } from 'vitest';
import { FakeStorage } from '../../testing/fake-storage.js';
import { Conversations } from './conversations.js';
import { PageStorage } from './page-storage.js';

/** Two tabs of one browser. */
function openTabs(): readonly [Conversations, Conversations] {
  const local = new FakeStorage();
  const open = () => new Conversations(new PageStorage(() => ({ local, session: new FakeStorage() })));
  return [open(), open()];
}

describe('the conversations of two tabs', () => {
  it('share the session that the first message created, when both are bound to one sender', () => {
    const [first, second] = openTabs();
    first.bind('alice', undefined);
    second.bind('alice', undefined);
    first.active!.transcript.sessionId = 's1';
    first.save();
    second.merge();
    expect(second.active!.transcript.sessionId).toBe('s1');
  });

  it('keep their sessions when they are bound to different senders', () => {
    const [first, second] = openTabs();
    first.bind('alice', 's1');
    second.bind('bob', undefined);
    first.save();
    second.merge();
    expect(second.active!.transcript.sessionId).toBeUndefined();
  });

  it('share the session of a conversation that both have open', () => {
    const [first, second] = openTabs();
    first.recall();
    second.recall();
    first.active!.transcript.sessionId = 's1';
    first.save();
    second.merge();
    expect(second.active!.transcript.sessionId).toBe('s1');
  });
});
