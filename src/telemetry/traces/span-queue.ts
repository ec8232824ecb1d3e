import type { CancelTimer, Clock } from '../../core/time/clock.js';

/** Maximum number of spans that wait. */
export const MAX_WAITING = 2_048;
/** Maximum number of spans in a request. */
export const MAX_BATCH = 512;
/** Time after which spans are sent although a request has room for more, and pause after a failure, in milliseconds. */
export const SEND_INTERVAL_MS = 5_000;

/** The outcome of a request that sent spans. `later`: another attempt makes sense. */
export type SendOutcome = 'sent' | 'later' | 'refused';

export interface SpanQueueParts {
  readonly clock: Clock;
  /** Sends encoded spans. Never rejects. */
  readonly send: (spans: readonly Buffer[]) => Promise<SendOutcome>;
}

/** A bounded queue of encoded spans, which are sent in batches, one at a time. */
export class SpanQueue {
  /** Spans that had no room, or that were refused. */
  lost = 0;
  private spans: Buffer[] = [];
  private cancelTimer: CancelTimer | undefined;
  private sending: Promise<void> | undefined;

  constructor(private readonly parts: SpanQueueParts) {}

  /** Number of spans that have not been sent. */
  get waiting(): number {
    return this.spans.length;
  }

  add(span: Buffer): void {
    if (this.spans.length >= MAX_WAITING) {
      this.lost++;
      return;
    }
    this.spans.push(span);
    if (this.sending) return;
    if (this.spans.length === MAX_BATCH) this.sendAfter(0);
    else this.cancelTimer ??= this.parts.clock.setTimer(SEND_INTERVAL_MS, () => this.sendNow());
  }

  /** Sends all that wait, until an attempt fails. Never rejects. */
  async flush(): Promise<void> {
    await this.sending;
    this.sendNow(1);
    await this.sending;
  }

  private sendAfter(delayMs: number): void {
    this.cancelTimer?.();
    this.cancelTimer = this.parts.clock.setTimer(delayMs, () => this.sendNow());
  }

  /** @param enough number of waiting spans at which another request follows: small ones would cost more than the spans */
  private sendNow(enough = MAX_BATCH): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (this.sending || this.spans.length === 0) return;
    this.sending = this.send(enough).finally(() => {
      this.sending = undefined;
      if (this.spans.length > 0) this.sendAfter(SEND_INTERVAL_MS);
    });
  }

  private async send(enough: number): Promise<void> {
    do {
      const batch = this.spans.splice(0, MAX_BATCH);
      const outcome = await this.parts.send(batch);
      if (outcome === 'refused') this.lost += batch.length;
      if (outcome === 'later') return this.putBack(batch);
    } while (this.spans.length >= enough);
  }

  /** The oldest spans are lost where there is no room for all. */
  private putBack(batch: readonly Buffer[]): void {
    const room = MAX_WAITING - this.spans.length;
    const kept = batch.slice(Math.max(0, batch.length - room));
    this.lost += batch.length - kept.length;
    this.spans = [...kept, ...this.spans];
  }
}
