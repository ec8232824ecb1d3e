import { Backoff } from '../kit/backoff.js';
import { callExtension } from '../../lifecycle/extension-guard.js';
import { DeliveryError, DriverError, type Reading, type Updates } from '../driver.js';
import type { RunContext } from '../run-context.js';

const UNREAD = 'A message could not be read. Please send it again.';

/** Reads updates with the driver, again while a look-up fails, up to `max_age_ms`: the chat waits for it. */
export class UpdateReader {
  constructor(private readonly run: RunContext) {}

  /**
   * Returns what the updates are, and whether it depends on more than them, so that it must be stored.
   * @throws the abort's reason
   */
  async read(updates: Updates): Promise<{ readonly reading: Reading; readonly mustKeep: boolean }> {
    const { driver, clock, signal, log, settings } = this.run;
    const backoff = new Backoff(clock, signal);
    const begunAt = clock.elapsed();
    for (;;) {
      signal.throwIfAborted();
      try {
        const pending = callExtension(this.run, () => driver.read(updates));
        // Which updates belong together depends on when they came.
        const mustKeep = pending instanceof Promise || updates.length > 1;
        return { reading: await pending, mustKeep };
      } catch (error) {
        if (signal.aborted) throw error;
        // The update stays for the next run.
        if (error instanceof DriverError) this.run.fail(error);
        else if (!(error instanceof DeliveryError) || error.outcome === 'refused') {
          // Odd input must never stop the driver.
          log.error({ error, message_id: updates[0].id }, 'an update could not be read; it is left out');
          return { reading: { kind: 'ignored', reason: 'it could not be read' }, mustKeep: false };
        } else if (clock.elapsed() - begunAt > settings.max_age_ms) {
          log.error({ error, message_id: updates[0].id }, 'an update could not be read for too long; it is left out');
          return { reading: { kind: 'ignored', reason: 'it could not be read in time', note: UNREAD }, mustKeep: true };
        }
        await backoff.wait(error instanceof DeliveryError ? error.retryAfterMs : undefined);
      }
    }
  }
}
