import type { Store, StoreHint } from '../store/index.js';
import type { Clock } from '../time/clock.js';

/** Polling interval in milliseconds: the longest delay before a change whose hint was lost is seen. */
export const POLL_INTERVAL_MS = 1_000;

/** State that other replicas change, and how to notice changes. */
export interface Followed {
  /** Handlers of hints, by kind. */
  readonly hints?: { readonly [K in StoreHint['kind']]?: (hint: Extract<StoreHint, { kind: K }>) => void };
  /** Reads the current state. Called once per interval; skipped while the previous call is pending. */
  readonly poll: () => void | Promise<void>;
  /** Called with what `poll` rejects with; polling continues. */
  readonly onError?: (error: unknown) => void;
  /** Polls even if this process is the only replica. */
  readonly always?: boolean;
}

/**
 * Follows changes of other replicas: by hints, which are fast and may be lost, and by polling, which misses nothing.
 * Does nothing on a store that is not shared, unless `always` is set. Returns a function that stops it.
 */
export function follow(store: Store, clock: Clock, { hints = {}, poll, onError, always }: Followed): () => void {
  if (!store.isShared && !always) return () => {};
  let isPolling = false;
  const look = async () => {
    if (isPolling) return;
    isPolling = true;
    try {
      await poll();
    } catch (error) {
      onError?.(error);
    } finally {
      isPolling = false;
    }
  };
  const stopHints = store.onHint((hint) => {
    const act = hints[hint.kind] as ((hint: StoreHint) => void) | undefined;
    act?.(hint);
  });
  const stopPolling = clock.setRepeating(POLL_INTERVAL_MS, () => void look());
  return () => {
    stopHints();
    stopPolling();
  };
}
