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
    session.entries.set('openclaw.webchat.unsent', JSON.stringify(bad));
    expect(open().unsent).toEqual([]);
  });

  it('gives a tab a new name without the unsent messages of the old one', () => {
    const storage = open();
    const { clientId } = storage;
    storage.addUnsent({ id: 'x', sender: 'web-a', content: 'hi' });
    expect(storage.renewClientId()).not.toBe(clientId);
    expect(storage.clientId).toMatch(/^web-[0-9a-f]{20}$/);
    expect(storage.unsent).toEqual([]);
  });

  it.each(['', '{', '{}', '[1, null, {"sender": 3}, {"sender": ""}]'])('ignores malformed entries: %s', (source) => {
    local.entries.set('openclaw.webchat.conversations', source);
    session.entries.set('openclaw.webchat.unsent', source);
    expect([open().conversations, open().unsent]).toEqual([[], []]);
  });

  it('lasts as long as the page when the browser has no storage', () => {
    const forbidden = new PageStorage(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    forbidden.token = 'secret';
    expect(forbidden.isLasting).toBe(false);
    expect([forbidden.token, forbidden.clientId]).toEqual(['secret', forbidden.clientId]);
    session.isFull = true;
    const full = open();
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
