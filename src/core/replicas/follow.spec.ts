import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import type { Store, StoreHint } from '../store/index.js';
import { follow, POLL_INTERVAL_MS } from './follow.js';

/** A store whose hints are sent by the test. Nothing else of it is used. */
class HintingStore {
  readonly listeners = new Set<(hint: StoreHint) => void>();

  constructor(readonly isShared: boolean) {}

  onHint(listener: (hint: StoreHint) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  hint(hint: StoreHint): void {
    for (const listener of this.listeners) listener(hint);
  }
}

const aStore = (isShared = true) => new HintingStore(isShared) as unknown as Store & HintingStore;

describe('follow', () => {
  it('reacts only to hints of the requested kind', () => {
    const store = aStore();
    const seen: StoreHint[] = [];
    follow(store, new ManualClock(), { hints: { cancel: (hint) => seen.push(hint) }, poll: () => {} });
    store.hint({ kind: 'config' });
    store.hint({ kind: 'cancel', messageRef: 'm_1' });
    expect(seen).toEqual([{ kind: 'cancel', messageRef: 'm_1' }]);
  });

  it('polls at every interval, so that a lost hint only causes a delay', async () => {
    const clock = new ManualClock();
    let polls = 0;
    follow(aStore(), clock, { poll: () => void polls++ });
    expect(polls).toBe(0);
    await clock.advanceAsync(3 * POLL_INTERVAL_MS);
    expect(polls).toBe(3);
  });

  it('continues after a failed poll', async () => {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    follow(aStore(), clock, {
      poll: async () => {
        throw new Error('away');
      },
      onError: (error) => errors.push(error),
    });
    await clock.advanceAsync(2 * POLL_INTERVAL_MS);
    expect(errors).toHaveLength(2);
  });

  it('never runs two polls at a time', async () => {
    const clock = new ManualClock();
    const answer = Promise.withResolvers<void>();
    let polls = 0;
    follow(aStore(), clock, {
      poll: () => {
        polls++;
        return answer.promise;
      },
    });
    await clock.advanceAsync(3 * POLL_INTERVAL_MS);
    expect(polls).toBe(1);
    answer.resolve();
    await clock.advanceAsync(POLL_INTERVAL_MS);
    expect(polls).toBe(2);
  });

  it('does not poll when this process is the only replica, unless it must always poll', async () => {
    const clock = new ManualClock();
    const store = aStore(false);
    let polls = 0;
    follow(store, clock, { poll: () => void polls++ });
    expect([clock.pendingTimers, store.listeners.size]).toEqual([0, 0]);
    follow(store, clock, { poll: () => void polls++, always: true });
    await clock.advanceAsync(POLL_INTERVAL_MS);
    expect(polls).toBe(1);
  });

  it('leaves neither a timer nor a listener when it is stopped', () => {
    const clock = new ManualClock();
    const store = aStore();
    const stop = follow(store, clock, { poll: () => {} });
    stop();
    expect([clock.pendingTimers, store.listeners.size]).toEqual([0, 0]);
  });
});
