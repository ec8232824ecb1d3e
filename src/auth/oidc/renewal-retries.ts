import { BoundedMap } from '../../core/cache/bounded-map.js';
import type { Clock } from '../../core/time/clock.js';

const FIRST_WAIT_MS = 5_000;
const MAX_WAIT_MS = 30_000;
/** An evicted one is tried again at once, which is early and does no harm. */
const MAX_KNOWN = 10_000;

/** A renewal that could not be made, as the identity provider could not be asked. */
interface FailedRenewal {
  readonly error: Error;
  readonly waitMs: number;
  /** When it may be tried again. Unix milliseconds. */
  readonly nextAt: number;
}

/** The renewals that could not be made. Each is tried again after about 5 s, and then less and less often, down to every 30 s. */
export class RenewalRetries {
  private readonly failed = new BoundedMap<string, FailedRenewal>(MAX_KNOWN);

  constructor(private readonly clock: Clock) {}

  /** Returns whether the last renewal of a sign-in could not be made. */
  has(id: string): boolean {
    return this.failed.get(id) !== undefined;
  }

  /** Returns why the last renewal could not be made, until it may be tried again. */
  findReason(id: string): Error | undefined {
    const failed = this.failed.get(id);
    return failed && failed.nextAt > this.clock.now() ? failed.error : undefined;
  }

  /** Returns the time until a renewal may be tried again, in milliseconds. */
  waitFor(id: string): number {
    return Math.max(0, (this.failed.get(id)?.nextAt ?? 0) - this.clock.now());
  }

  fail(id: string, error: Error): void {
    const known = this.failed.get(id);
    const waitMs = known ? Math.min(known.waitMs * 2, MAX_WAIT_MS) : FIRST_WAIT_MS;
    const jittered = Math.round(waitMs * (0.75 + Math.random() / 4));
    this.failed.set(id, { error, waitMs, nextAt: this.clock.now() + jittered });
  }

  forget(id: string): void {
    this.failed.delete(id);
  }
}
