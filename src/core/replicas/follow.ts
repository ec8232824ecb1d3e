import type { Store, StoreHint } from '../store/index.js';
import type { Clock } from '../time/clock.js';

/** Period of polling, in milliseconds: the delay after which a change is seen whose hint was lost. */
export const POLL_EVERY_MS = 1_000;

/** Something that other replicas change, and how to notice it. */
export interface Followed {
  /** Acts on hints at once, by their kind. */
  readonly hints?: { readonly [K in StoreHint['kind']]?: (hint: Extract<StoreHint, { kind: K }>) => void };
  /** Reads the current state. Called once per period; a call that is due while one is under way is left out. */
  readonly poll: () => void | Promise<void>;
  /** Receives what `poll` rejects with; polling continues. */
  readonly onError?: (error: unknown) => void;
  /** Poll also where this process is the only replica. */
  readonly always?: boolean;
}

/**
 * Follows what other replicas do: by hints, which are fast and may be lost, and by polling, which misses nothing. Does
 * nothing on a store that no other replica writes to, unless `always` is set. Returns a function that stops it.
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
  const stopPolling = clock.setRepeating(POLL_EVERY_MS, () => void look());
  return () => {
    stopHints();
    stopPolling();
  };
}
