import { Bag } from '../cache/bag.js';
import type { FrameReader } from './frame-reader.js';
import type { Subscription, SubscriptionOwner, SubscriptionServices } from './subscription.js';

/**
 * One reader with its subscriptions. Those that are behind read the log in turn, one page at a time, so that together they
 * buffer no more than one would. A reader may be behind in thousands of sessions: only the one whose turn it is waits for a promise.
 */
export class SubscribedReader implements SubscriptionOwner {
  readonly subscriptions = new Bag<Subscription>();
  /** The subscriptions that read a page in the next round. */
  private behind: Subscription[] = [];
  private isReading = false;

  constructor(
    readonly reader: FrameReader,
    readonly services: SubscriptionServices,
  ) {}

  catchUp(subscription: Subscription): void {
    this.behind.push(subscription);
    if (!this.isReading) void this.readInTurn();
  }

  private async readInTurn(): Promise<void> {
    this.isReading = true;
    while (this.behind.length > 0) {
      const round = this.behind;
      this.behind = [];
      for (const subscription of round) if (await subscription.readPage()) this.behind.push(subscription);
    }
    this.isReading = false;
  }
}
