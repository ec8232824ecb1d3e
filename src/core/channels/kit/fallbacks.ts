import type { Log } from '../../telemetry/logs.js';
import { DeliveryError, type Part } from '../driver.js';

/** A call for a part, and the way to repeat it without what the platform refuses. */
export interface Fallbacks<A, T> {
  readonly part: Part;
  /** For the log. */
  readonly platform: string;
  readonly log: Log;
  /** The whole part. */
  readonly first: A;
  readonly make: (attempt: A) => Promise<T>;
  /** Returns an attempt with less; undefined if what was refused cannot be left out. */
  readonly lessen: (attempt: A, refusal: DeliveryError) => A | undefined | Promise<A | undefined>;
}

/**
 * Makes a call for a part, and again without what the platform refuses of it. A limit and a lost response are not refusals.
 * @throws DeliveryError, DriverError
 */
export async function callWithFallbacks<A, T>({
  part,
  platform,
  log,
  first,
  make,
  lessen,
}: Fallbacks<A, T>): Promise<T> {
  for (let attempt = first; ;) {
    try {
      return await make(attempt);
    } catch (error) {
      const isRefused = error instanceof DeliveryError && error.outcome === 'refused';
      const less = isRefused ? await lessen(attempt, error) : undefined;
      if (less === undefined) throw error;
      log.warn({ part: part.id, error }, `${platform} refuses a part of a message; it is sent without`);
      attempt = less;
    }
  }
}
