import { Backoff } from './backoff.js';
import { callDriver } from './driver-guard.js';
import { DeliveryError, DriverError, type Reading, type Updates } from './driver.js';
import { LostLeaseError } from './persistence.js';
import type { RunContext } from './run-context.js';

/** Reads updates with the driver, again and again while a look-up fails. */
export class UpdateReader {
  constructor(private readonly run: RunContext) {}

  /**
   * Returns what the updates are. A reading that does not depend on them alone is passed to `keep` before.
   * @throws LostLeaseError, the abort's reason
   */
  async read(updates: Updates, keep: (reading: Reading) => Promise<void>): Promise<Reading> {
    const { driver, clock, signal, log } = this.run;
    const backoff = new Backoff(clock, signal);
    for (;;) {
      signal.throwIfAborted();
      try {
        const pending = callDriver(this.run, () => driver.read(updates));
        // Which updates belong together depends on when they came.
        if (!(pending instanceof Promise) && updates.length === 1) return pending;
        const reading = await pending;
        await keep(reading);
        return reading;
      } catch (error) {
        if (error instanceof LostLeaseError || signal.aborted) throw error;
        // The update stays for the next run.
        if (error instanceof DriverError) this.run.fail(error);
        else if (!(error instanceof DeliveryError) || error.outcome === 'refused') {
          // Odd input must never stop the driver.
          log.error({ error, message_id: updates[0].id }, 'an update could not be read; it is left out');
          return { kind: 'ignored', reason: 'it could not be read' };
        }
        await backoff.wait(error instanceof DeliveryError ? error.retryAfterMs : undefined);
      }
    }
  }
}
