import { beforeEach, describe, expect, it } from 'vitest';
import { FakeStorage } from '../../testing/fake-storage.js';
import { PageStorage } from './page-storage.js';

let local: FakeStorage;
let session: FakeStorage;
const open = () => new PageStorage(() => ({ local, session }));
beforeEach(() => {
  local = new FakeStorage();
  session = new FakeStorage();
});

describe('the storage of a page', () => {
  it('keeps entries across a reload, each in its own storage', () => {
    const storage = open();
    storage.token = 'secret';
    storage.conversations = [{ sender: 'web-a', sessionId: 's', title: 'Hello' }];
    storage.addUnsent({ id: 'x', sender: 'web-a', content: 'hi' });
    storage.saveDraft('web-a', 'half a');
    const again = open();
    expect([again.token, again.clientId]).toEqual(['secret', storage.clientId]);
    expect(again.conversations).toEqual(storage.conversations);
    expect(again.unsent).toEqual([{ id: 'x', sender: 'web-a', content: 'hi' }]);
    expect(again.readDraft('web-a')).toBe('half a');
    expect([...local.entries.keys()]).toEqual(['openclaw.webchat.conversations']);
  });

  it('stores the pictures of a message with it, even one without text, and accepts no malformed ones', () => {
    const attachments = [{ kind: 'image' as const, media_id: 'f_1' }];
    open().addUnsent({ id: 'x', sender: 'web-a', content: '', attachments });
    expect(open().unsent).toEqual([{ id: 'x', sender: 'web-a', content: '', attachments }]);
    const bad = [[], 'x', [{ kind: 'image' }], [null]].map((each) => ({
      id: 'y',
      sender: 'web-a',
      content: '',
      attachments: each,
    }));
    session.entries.set(`openclaw.webchat.unsent.${open().clientId}`, JSON.stringify(bad));
    expect(open().unsent).toEqual([]);
  });

  it('keeps the uploaded files of a draft for its person, and accepts no malformed ones', () => {
    const storage = open();
    storage.person = 'default/alice';
    storage.saveDraftFiles('web-a', [{ kind: 'file', media_id: 'f_1', name: 'notes.txt' }]);
    expect(open().readDraftFiles('web-a')).toEqual([{ kind: 'file', media_id: 'f_1', name: 'notes.txt' }]);
    storage.person = 'default/bob';
    expect(open().readDraftFiles('web-a')).toEqual([]);
    session.entries.set('openclaw.webchat.default/bob.draft_files.web-a', '[{"kind":"file"},{"media_id":"f_1"},1]');
    expect(open().readDraftFiles('web-a')).toEqual([]);
    storage.saveDraftFiles('web-a', []);
    expect(session.entries.has('openclaw.webchat.default/bob.draft_files.web-a')).toBe(false);
  });

  it('gives a tab a new name without the unsent messages of the old one', () => {
    const storage = open();
    const { clientId } = storage;
    storage.addUnsent({ id: 'x', sender: 'web-a', content: 'hi' });
    expect(storage.renewClientId()).not.toBe(clientId);
    expect(storage.clientId).toMatch(/^web-[0-9a-f]{20}$/);
    expect(storage.unsent).toEqual([]);
  });

  it('keeps what people write and read for each of them alone', () => {
    const position = { messageRef: 'm_1', offset: -3 };
    const storage = open();
    const read = () => [
      storage.conversations.length,
      storage.unsent.length,
      storage.readDraft('web-a'),
      storage.readPosition('web-a'),
      storage.active,
      storage.blank,
      storage.bound?.sender,
    ];
    const nothing = [0, 0, '', undefined, undefined, undefined, undefined];
    storage.person = 'default/alice';
    storage.conversations = [{ sender: 'web-a' }];
    storage.addUnsent({ id: 'x', sender: 'web-a', content: 'hi' });
    storage.saveDraft('web-a', 'half a');
    storage.savePosition('web-a', position);
    storage.active = 'web-a';
    storage.blank = 'web-b';
    storage.bound = { sender: 'alice' };
    const written = read();
    expect(written).toEqual([1, 1, 'half a', position, 'web-a', 'web-b', 'alice']);
    for (const person of ['default/bob', 'other/alice', undefined]) {
      storage.person = person;
      expect(read()).toEqual(nothing);
    }
    expect([storage.wasBound, open().isAboutConversations('openclaw.webchat.default/alice.conversations')]).toEqual([
      true,
      false,
    ]);
    storage.person = 'default/alice';
    expect(read()).toEqual(written);
    expect(open().isAboutConversations('openclaw.webchat.default/alice.conversations')).toBe(true);
  });

  it.each(['', '{', '{}', '[1, null, {"sender": 3}, {"sender": ""}]'])('ignores malformed entries: %s', (source) => {
    local.entries.set('openclaw.webchat.conversations', source);
    session.entries.set(`openclaw.webchat.unsent.${open().clientId}`, source);
    expect([open().conversations, open().unsent]).toEqual([[], []]);
  });

  it('lasts as long as the page when the browser has no storage', () => {
    const forbidden = new PageStorage(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    forbidden.token = 'secret';
    expect(forbidden.isLasting).toBe(false);
    expect([forbidden.token, forbidden.clientId]).toEqual(['secret', forbidden.clientId]);
    const full = open();
    expect(full.clientId).not.toBe('');
    session.isFull = true;
    expect(full.isLasting).toBe(true);
    full.addUnsent({ id: 'x', sender: 'web-a', content: 'hi' });
    expect(full.isLasting).toBe(false);
    expect(full.unsent).toHaveLength(1);
    full.removeUnsent('x');
    expect(full.unsent).toEqual([]);
    session.isFull = false;
    full.saveDraft('web-a', 'half a');
    full.removeUnsent('x');
    expect(full.isLasting).toBe(true);
  });
});
