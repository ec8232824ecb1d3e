import type { CancelTimer, Clock } from '../core/time/clock.js';
import type { GatewayWebSocket } from './gateway-websocket.js';

/** Maximum time from the first byte of a message to its last, in milliseconds (protocol.md section 1). */
const FRAME_TIMEOUT_MS = 30_000;

/**
 * Detects a peer that begins a message and does not finish it. The time limit is for whole messages, because fragments that
 * arrive slowly hold memory just as long as a slow frame.
 */
export class FrameDeadline {
  /** Start of the unfinished message; undefined while there is none. */
  private begunAt: number | undefined;
  private cancelTimer: CancelTimer | undefined;

  constructor(
    private readonly socket: GatewayWebSocket,
    private readonly clock: Clock,
    private readonly onMissed: () => void,
  ) {}

  /** Stops the time limit: the message is complete, or the connection is paused. */
  clear(): void {
    this.begunAt = undefined;
  }

  /** Ends the time limit for good: a timer would keep what an ended connection holds in memory. */
  end(): void {
    this.clear();
    this.cancelTimer?.();
  }

  /** Called after a chunk of the stream has been parsed. */
  noteBytes(): void {
    if (!this.socket.isMidMessage) this.clear();
    else if (this.begunAt === undefined) this.begin();
  }

  private begin(): void {
    this.begunAt = this.clock.elapsed();
    this.watch(FRAME_TIMEOUT_MS);
  }

  /** Keeps at most one timer, which is re-armed if it fires too early: most messages are complete long before. */
  private watch(delayMs: number): void {
    if (this.cancelTimer) return;
    this.cancelTimer = this.clock.setTimer(delayMs, () => {
      this.cancelTimer = undefined;
      if (this.begunAt === undefined) return;
      const remainingMs = this.begunAt + FRAME_TIMEOUT_MS - this.clock.elapsed();
      if (remainingMs > 0) this.watch(remainingMs);
      else this.onMissed();
    });
  }
}
