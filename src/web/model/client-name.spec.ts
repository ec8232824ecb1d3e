import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { claimClientName } from './client-name.js';
import { PageStorage } from './page-storage.js';

const ends: (() => void)[] = [];

/** A tab with a storage of its own, which holds the client id of another if that is given. */
function makeTab(clientId?: string): PageStorage {
  const values = new Map<string, string>(clientId === undefined ? [] : [['openclaw.webchat.client_id', clientId]]);
  const store = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
  return new PageStorage(() => ({ local: store, session: store }));
}

/** Holds the lock on a client id, as a page does that is left and says nothing any more. Returns the way to release it. */
async function holdSilently(clientId: string): Promise<() => void> {
  return new Promise((held) => {
    const hold = () => new Promise<void>((release) => held(release));
    void navigator.locks.request(`openclaw.webchat.client.${clientId}`, hold);
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.stubGlobal('addEventListener', (_name: string, leave: () => void) => void ends.push(leave));
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it('a duplicated tab gets a client id of its own at once, and the first one keeps its own', async () => {
  const first = makeTab();
  await claimClientName(first);
  const { clientId } = first;
  const second = makeTab(clientId);
  await claimClientName(second);
  expect(second.clientId).not.toBe(clientId);
  expect(first.clientId).toBe(clientId);
});

it('a reloaded tab keeps its client id, however long the page before takes to go', async () => {
  const release = await holdSilently('slow-to-go');
  const tab = makeTab('slow-to-go');
  const claimed = claimClientName(tab);
  await vi.advanceTimersByTimeAsync(4_900);
  release();
  await claimed;
  expect(tab.clientId).toBe('slow-to-go');
});

it('a page that hangs with the client id is not waited for any longer than five seconds', async () => {
  const release = await holdSilently('hangs');
  const tab = makeTab('hangs');
  const claimed = claimClientName(tab);
  await vi.advanceTimersByTimeAsync(5_000);
  await claimed;
  expect(tab.clientId).not.toBe('hangs');
  release();
});
