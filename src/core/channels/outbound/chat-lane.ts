import type { Clock } from '../../time/clock.js';

/** Maximum pace of edits while a platform limits them, in milliseconds. */
const MAX_PACE_MS = 60_000;

/** The calls of one chat: one at a time, and edits at the pace of the platform. */
export class ChatLane {
  private last: Promise<unknown> = Promise.resolve();
  private notBefore = 0;
  private pace: number;
  private nextEdit = 0;

  /** @param paceMs shortest time between two edits */
  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    paceMs: number,
  ) {
    this.pace = paceMs;
  }

  /** Time for which the platform takes nothing for this chat, in milliseconds; 0 while it takes calls. */
  get heldMs(): number {
    return Math.max(0, this.notBefore - this.clock.elapsed());
  }

  /** Runs `call` after the earlier calls of the chat. @throws the error of `call` */
  run<T>(call: () => Promise<T>): Promise<T> {
    const result = this.last.then(async () => {
      this.signal.throwIfAborted();
      try {
        return await call();
      } finally {
        this.nextEdit = this.clock.elapsed() + this.pace;
      }
    });
    this.last = result.catch(() => {});
    return result;
  }

  /** Notes that the platform takes nothing for this long. Edits are half as frequent from then on. */
  holdBack(ms: number): void {
    this.notBefore = Math.max(this.notBefore, this.clock.elapsed() + ms);
    this.pace = Math.min(this.pace * 2, MAX_PACE_MS);
  }

  /** Waits until a growing reply may be shown again. */
  async waitForEdit(): Promise<void> {
    const ms = this.nextEdit - this.clock.elapsed();
    if (ms > 0) await this.clock.sleep(ms, this.signal);
  }
}
