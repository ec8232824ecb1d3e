import type { PageStorage } from './page-storage.js';

/** Time in which another tab says that it has a client id, in milliseconds; after that only a page that hangs can have it. */
const PATIENCE_MS = 5_000;

/** A question of a tab that wants a client id, and the reply of the tab that has it. */
type Notice = 'who' | 'mine';

/**
 * Ensures that no other tab uses this tab's client id: duplicating a tab duplicates its storage, and the two would
 * replace each other's connection. Another tab says that the id is its own. The page before a reload says nothing: its lock
 * is free soon, which takes long on a slow machine, and unsent messages stay with the id. Without the Web Locks API, the
 * gateway's close code 4010 reveals the conflict.
 */
export async function claimClientName(storage: PageStorage): Promise<void> {
  // Missing on pages not served over a secure connection.
  const locks: LockManager | undefined = navigator.locks;
  if (!locks) return;
  if (!(await hold(locks, storage.clientId))) await hold(locks, storage.renewClientId());
}

/** Holds the lock on a client id for the page's lifetime. Returns false when another tab has it. */
function hold(locks: LockManager, clientId: string): Promise<boolean> {
  const name = `openclaw.webchat.client.${clientId}`;
  const channel = new BroadcastChannel(name);
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  let isHeld = false;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no other origin
  const say = (notice: Notice) => channel.postMessage(notice);
  channel.addEventListener('message', ({ data }: MessageEvent<Notice>) => {
    if (data === 'who' && isHeld) say('mine');
    else if (data === 'mine') patience.abort();
  });
  // A page that is left gives its id up.
  addEventListener('pagehide', () => channel.close());
  return new Promise((resolve) => {
    const held = new Promise<never>(() => {});
    locks
      .request(name, { signal: patience.signal }, () => {
        isHeld = true;
        clearTimeout(timer);
        resolve(true);
        return held;
      })
      .catch(() => {
        channel.close();
        resolve(false);
      });
    say('who');
  });
}
