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
  it('keep what either has shown, whichever is stored last', () => {
    const [first, second] = openTabs();
    first.recall();
    Object.assign(first.active!, { title: 'Hello', seenUpTo: 7 });
    first.active!.transcript.sessionId = 's1';
    first.save(first.active!);
    second.recall();
    second.active!.seenUpTo = 3;
    second.save(second.active!);
    first.active!.seenUpTo = 9;
    first.save(first.active!);
    second.save(second.active!);
    second.merge();
    expect(second.active!.seenUpTo).toBe(9);
  });

  it('hold a message that waits also where the list could not be stored, but none of another sender than the bound one', () => {
    const [first, second] = openTabs();
    first.recall();
    const held = first.hold({ sender: 'web-lost', content: '# Hello there' });
    expect([held?.sender, held?.title]).toEqual(['web-lost', 'Hello there']);
    expect(first.hold({ sender: 'web-lost', content: 'more' })).toBe(held);
    second.bind('alice', undefined);
    expect(second.hold({ sender: 'web-lost', content: 'Hello' })).toBeUndefined();
    expect(second.hold({ sender: 'alice', content: 'Hello' })).toBe(second.active);
  });

  it('that are recalled for a bound page go on in the session that the gateway names', () => {
    const [first] = openTabs();
    first.bind('alice', 's1');
    first.save(first.active!);
    first.clear();
    first.recallStored();
    const { active } = first;
    expect([first.isBound, active?.sender, active?.transcript.sessionId]).toEqual([true, 'alice', 's1']);
    first.bind('alice', 's2');
    expect([first.active, active?.transcript.sessionId]).toEqual([active, 's2']);
  });

  it('share the session that the first message created, when both are bound to one sender', () => {
    const [first, second] = openTabs();
    first.bind('alice', undefined);
    second.bind('alice', undefined);
    first.active!.transcript.sessionId = 's1';
    first.save(first.active!);
    second.merge();
    expect(second.active!.transcript.sessionId).toBe('s1');
  });

  it('keep their sessions when they are bound to different senders', () => {
    const [first, second] = openTabs();
    first.bind('alice', 's1');
    second.bind('bob', undefined);
    first.save(first.active!);
    second.merge();
    expect(second.active!.transcript.sessionId).toBeUndefined();
  });

  it('share the session of a conversation that both have open', () => {
    const [first, second] = openTabs();
    first.recall();
    first.active!.title = 'Hello';
    first.save(first.active!);
    second.recall();
    first.active!.transcript.sessionId = 's1';
    first.save(first.active!);
    second.merge();
    expect(second.active!.transcript.sessionId).toBe('s1');
  });
});

describe('the list of two tabs', () => {
  it('has what either adds, names, pins and removes, and keeps what is shown', () => {
    const [first, second] = openTabs();
    const write = (conversations: Conversations, title: string, lastAt: number) => {
      const conversation = conversations.openNew();
      Object.assign(conversation, { title, lastAt });
      conversations.save(conversation);
      return conversation;
    };
    first.recall();
    second.recall();
    const a = write(first, 'a', 1);
    second.merge();
    const b = write(second, 'b', 2);
    first.merge();
    a.rename('  The   first ');
    a.isPinned = true;
    first.save(a);
    second.merge();
    expect(second.listed.map(({ title, isPinned }) => [title, isPinned])).toEqual([
      ['b', false],
      ['The first', true],
    ]);
    second.open(second.listed[1]!);
    const putBack = first.remove(first.findBySender(b.sender)!);
    second.merge();
    expect(second.listed.map(({ title }) => title)).toEqual(['The first']);
    putBack();
    second.merge();
    expect(second.listed.map(({ title }) => title)).toEqual(['b', 'The first']);
    first.remove(first.findBySender(a.sender)!);
    second.merge();
    expect(second.active?.title).toBe('The first');
  });

  it('has no conversation without a message, whose draft a reload finds again', () => {
    const storages = { local: new FakeStorage(), session: new FakeStorage() };
    const open = () => new Conversations(new PageStorage(() => storages));
    const first = open();
    first.recall();
    expect([first.listed, storages.local.entries.size]).toEqual([[], 0]);
    const again = open();
    again.recall();
    expect(again.active?.sender).toBe(first.active?.sender);
  });
});
