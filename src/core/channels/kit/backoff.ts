import type { Clock } from '../../time/clock.js';

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 300_000;

/** Waits longer after each failure: from about 1 s to 5 min, with jitter, so that many do not come back at once. */
export class Backoff {
  private waitMs = FIRST_WAIT_MS;

  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {}

  /** Waits. Resolves at once when the signal aborts. @param atLeastMs the time that the other side asks for */
  async wait(atLeastMs = 0): Promise<void> {
    const jittered = Math.round(this.waitMs * (0.5 + Math.random() / 2));
    this.waitMs = Math.min(this.waitMs * 2, MAX_WAIT_MS);
    await this.clock.sleep(Math.max(jittered, atLeastMs), this.signal);
  }

  /** Starts over after a success. */
  reset(): void {
    this.waitMs = FIRST_WAIT_MS;
  }
}
