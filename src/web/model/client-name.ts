import type { PageStorage } from './page-storage.js';

/** Time within which a reloaded tab gets its own lock back, in milliseconds. */
const PATIENCE_MS = 500;

/**
 * Ensures that no other tab uses this tab's client id: duplicating a tab duplicates its storage, and the two would
 * replace each other's connection. Without the Web Locks API, the gateway's close code 4010 reveals the conflict.
 */
export async function claimClientName(storage: PageStorage): Promise<void> {
  // Missing on pages not served over a secure connection.
  const locks: LockManager | undefined = navigator.locks;
  if (!locks) return;
  if (!(await hold(locks, storage.clientId))) await hold(locks, storage.renewClientId());
}

/** Holds the lock on a client id for the page's lifetime. Returns false when another tab has it. */
function hold(locks: LockManager, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const held = new Promise<never>(() => {});
    const patience = new AbortController();
    setTimeout(() => patience.abort(), PATIENCE_MS);
    locks
      .request(`openclaw.webchat.client.${name}`, { signal: patience.signal }, () => {
        resolve(true);
        return held;
      })
      .catch(() => resolve(false));
  });
}
