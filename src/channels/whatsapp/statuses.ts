import { BoundedMap } from '../../core/cache/bounded-map.js';
import type { Clock } from '../../core/time/clock.js';
import type { Status } from './events.js';

/** Number of parts whose status is remembered: the newest. */
const MAX_PARTS = 10_000;

/** The statuses of sent messages, by the ID of the part. One may arrive before the response to its call. */
export class Statuses {
  private readonly known = new BoundedMap<string, Status>(MAX_PARTS);
  private readonly waiting = new Map<string, PromiseWithResolvers<void>>();

  constructor(private readonly clock: Clock) {}

  /** Notes a status. A failure stays: what comes late or again takes nothing back. */
  note(status: Status): void {
    const { partId } = status;
    if (partId === undefined) return;
    if (!this.known.get(partId)?.failure) this.known.set(partId, status);
    this.waiting.get(partId)?.resolve();
  }

  /** Resolves with the status of a part, as soon as there is one; with undefined if none comes in time. */
  async find(partId: string, withinMs: number, signal: AbortSignal): Promise<Status | undefined> {
    const waiting = Promise.withResolvers<void>();
    const patience = new AbortController();
    this.waiting.set(partId, waiting);
    try {
      if (!this.known.get(partId) && withinMs > 0)
        await Promise.race([waiting.promise, this.clock.sleep(withinMs, AbortSignal.any([patience.signal, signal]))]);
      return this.known.get(partId);
    } finally {
      patience.abort();
      if (this.waiting.get(partId) === waiting) this.waiting.delete(partId);
    }
  }
}
