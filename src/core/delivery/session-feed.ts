import type { DeltaEvent, FrameReader, FramesEvent } from './frame-reader.js';
import type { ReadSession, Subscription } from './subscription.js';

/**
 * A session that has readers. Its subscriptions are a linked list, which they may leave while it is passed: most sessions have
 * one reader, for whom a set would take several times the memory.
 */
export class SessionFeed implements ReadSession {
  /** Number of its readers that want deltas, whether or not they keep up. */
  deltaReaders = 0;
  private first: Subscription | undefined;

  constructor(
    readonly sessionId: string,
    public headSeq: number,
  ) {}

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  /** Adds a subscription after the others. */
  add(subscription: Subscription): void {
    if (!this.first) return void (this.first = subscription);
    let last = this.first;
    while (last.next) last = last.next;
    last.next = subscription;
  }

  /** Removes a subscription, whose own link stays for those that are passing the list. */
  remove(subscription: Subscription): void {
    if (this.first === subscription) return void (this.first = subscription.next);
    let before = this.first;
    while (before && before.next !== subscription) before = before.next;
    if (before) before.next = subscription.next;
  }

  find(reader: FrameReader): Subscription | undefined {
    let found = this.first;
    while (found && found.reader !== reader) found = found.next;
    return found;
  }

  count(): number {
    let count = 0;
    for (let each = this.first; each; each = each.next) count++;
    return count;
  }

  /** Sends frames that were just committed. */
  publish(burst: FramesEvent): void {
    this.headSeq = Math.max(this.headSeq, burst.frames.at(-1)?.seq ?? 0);
    for (let each = this.first; each; each = each.next) each.offer(burst);
  }

  /** Sends a delta to the readers that want it and keep up. */
  publishDelta(delta: DeltaEvent): void {
    for (let each = this.first; each; each = each.next) if (each.takesDeltas) each.reader.send(delta);
  }

  /** Notes a seq that is committed, whose frames are in the log. */
  noticeHead(headSeq: number): void {
    if (headSeq <= this.headSeq) return;
    this.headSeq = headSeq;
    for (let each = this.first; each; each = each.next) each.checkHead();
  }
}
