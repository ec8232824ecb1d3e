import type { Clock } from '../time/clock.js';

const MINUTE_MS = 60_000;
/** The part of the edits that growing replies may use, so that ends of replies and notes get through. */
const GROWING_SHARE = 0.8;

/** The limits of a platform that count for all chats of an account. */
export class AccountPace {
  private notBefore = 0;
  /** When edits were made within the last minute, by the monotonic clock. */
  private edits: number[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    private readonly editsPerMinute = Infinity,
  ) {}

  /** Time for which the platform takes nothing, in milliseconds; 0 while it takes calls. */
  get heldMs(): number {
    return Math.max(0, this.notBefore - this.clock.elapsed());
  }

  /** Notes that the platform takes nothing for this long. */
  holdBack(ms: number): void {
    this.notBefore = Math.max(this.notBefore, this.clock.elapsed() + ms);
  }

  /** Takes an edit of a growing reply. Returns false when others need what is left. */
  takeGrowingEdit(): boolean {
    if (this.heldMs > 0 || this.countEdits() >= Math.floor(this.editsPerMinute * GROWING_SHARE)) return false;
    this.edits.push(this.clock.elapsed());
    return true;
  }

  /** Takes an edit, waiting until there is one. */
  async takeEdit(): Promise<void> {
    while (this.countEdits() >= this.editsPerMinute && !this.signal.aborted)
      await this.waitUntil((this.edits[0] ?? 0) + MINUTE_MS);
    this.edits.push(this.clock.elapsed());
  }

  private countEdits(): number {
    if (this.editsPerMinute === Infinity) this.edits = [];
    const since = this.clock.elapsed() - MINUTE_MS;
    this.edits = this.edits.filter((at) => at > since);
    return this.edits.length;
  }

  private async waitUntil(time: number): Promise<void> {
    const ms = time - this.clock.elapsed();
    if (ms > 0) await this.clock.sleep(ms, this.signal);
  }
}
