import { GatewayError } from '../../protocol/domain.js';
import type { Log } from '../telemetry/logs.js';
import type { Clock } from '../time/clock.js';
import { Backoff } from './kit/backoff.js';

/** Another run holds the account now. This one must end without any further call to the platform. */
export class LostLeaseError extends Error {
  override readonly name = 'LostLeaseError';
}

/** Calls the store for one run of an account. While the store is not available it waits, as the platform can. */
export class Persistence {
  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly signal: AbortSignal,
  ) {}

  /** Reads. @throws the abort's reason when the run ends meanwhile */
  async read<T>(call: () => Promise<T>): Promise<T> {
    const backoff = new Backoff(this.clock, this.signal);
    for (;;) {
      this.signal.throwIfAborted();
      try {
        return await call();
      } catch (error) {
        if (GatewayError.from(error).code !== 'STORE_UNAVAILABLE') throw error;
        this.log.warn({ error }, 'the store of the channels is not available; trying again');
        await backoff.wait();
      }
    }
  }

  /** Makes a write as {@link write} does; once the run has ended, one try is all. @throws LostLeaseError */
  async record(call: () => Promise<boolean>): Promise<void> {
    if (!this.signal.aborted) return this.write(call);
    if (!(await call())) throw new LostLeaseError('another replica runs this account');
  }

  /** Makes a write that is fenced. @throws LostLeaseError when it was; the abort's reason when the run ends meanwhile */
  async write(call: () => Promise<boolean>): Promise<void> {
    if (!(await this.read(call))) throw new LostLeaseError('another replica runs this account');
  }
}
