import type { Clock } from '../core/time/clock.js';
import type { GatewayWebSocket } from './gateway-websocket.js';

/** How long a message may take from its first byte to its last (protocol.md section 1). */
export const FRAME_DEADLINE_MS = 30_000;

/**
 * Notices a peer that begins a message and does not finish it. Whole messages count, not single frames: fragments that
 * trickle in would hold memory as long.
 */
export class FrameDeadline {
  /** When the unfinished message began; undefined while there is none. */
  private begunAt: number | undefined;
  private hasTimer = false;

  constructor(
    private readonly socket: GatewayWebSocket,
    private readonly clock: Clock,
    private readonly onMissed: () => void,
  ) {}

  /** The message is complete, or nobody reads for a while, so that it cannot become complete. */
  clear(): void {
    this.begunAt = undefined;
  }

  /** A piece of the stream has been parsed. */
  noteBytes(): void {
    if (!this.socket.isMidMessage) this.clear();
    else if (this.begunAt === undefined) this.begin();
  }

  private begin(): void {
    this.begunAt = this.clock.now();
    this.watch(FRAME_DEADLINE_MS);
  }

  /** One timer at a time, which looks again when it comes too early: most messages are complete long before. */
  private watch(delayMs: number): void {
    if (this.hasTimer) return;
    this.hasTimer = true;
    this.clock.setTimer(delayMs, () => {
      this.hasTimer = false;
      if (this.begunAt === undefined) return;
      const remainingMs = this.begunAt + FRAME_DEADLINE_MS - this.clock.now();
      if (remainingMs > 0) this.watch(remainingMs);
      else this.onMissed();
    });
  }
}
