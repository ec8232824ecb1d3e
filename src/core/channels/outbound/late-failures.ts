import { BoundedMap } from '../../cache/bounded-map.js';
import type { AccountLease, ChannelStore } from '../../store/index.js';
import type { Log } from '../../telemetry/logs.js';
import { LostLeaseError, type Persistence } from '../persistence.js';

/** Number of the newest failed messages whose ID on the platform may not be stored yet. */
const MAX_EARLY = 10_000;

/** The run of an account whose messages can fail. */
export interface FailureOwner {
  readonly channel: string;
  readonly lease: AccountLease;
  readonly store: ChannelStore;
  readonly persistence: Persistence;
  readonly log: Log;
  hideSecrets(text: string): string;
  count(outcome: 'dead'): void;
  fail(error: unknown): void;
}

/** Makes dead letters of messages that a platform has confirmed and not delivered. */
export class LateFailures {
  /** The reasons by the platform's ID of the message. */
  private readonly early = new BoundedMap<string, string>(MAX_EARLY);

  constructor(private readonly run: FailureOwner) {}

  /** See `ChannelLink.reportFailed`. */
  report(ref: string, reason: string): void {
    this.early.set(ref, this.run.hideSecrets(reason));
    this.noteSent(ref).catch((error: unknown) => this.run.fail(error));
  }

  /** Called when a message is stored as sent: the report of its failure may have come before. @throws LostLeaseError */
  async noteSent(ref: string): Promise<void> {
    const reason = this.early.get(ref);
    if (reason === undefined) return;
    const { store, lease, persistence, log, channel } = this.run;
    const outcome = await persistence.read(() => store.failPart(lease, ref, reason));
    if (outcome === 'fenced') throw new LostLeaseError('another replica runs this account');
    if (outcome === 'unknown') return;
    this.early.delete(ref);
    this.run.count('dead');
    log.warn({ channel, ref, reason }, 'the platform has not delivered a message that it had confirmed');
  }
}
