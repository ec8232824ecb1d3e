import type { Memory } from './memory.js';

/** A tab that is loaded again gets its name back from itself within this time, in milliseconds. */
const PATIENCE_MS = 500;

/**
 * Makes sure that this tab's client id is its own: a browser that duplicates a tab duplicates what it remembers, and the
 * two would throw each other out. Where there are no locks the gateway's 4010 tells.
 */
export async function claimClientName(memory: Memory): Promise<void> {
  // Not there on pages that were not served over a secure connection.
  const locks: LockManager | undefined = navigator.locks;
  if (!locks) return;
  if (!(await hold(locks, memory.clientId))) await hold(locks, memory.renewClientId());
}

/** Holds the lock on a name as long as the page lives. False when another tab has it. */
function hold(locks: LockManager, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const held = new Promise<never>(() => {});
    locks
      .request(`openclaw.webchat.client.${name}`, { signal: AbortSignal.timeout(PATIENCE_MS) }, () => {
        resolve(true);
        return held;
      })
      .catch(() => resolve(false));
  });
}
