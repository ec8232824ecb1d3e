import type { Clock } from '../core/time/clock.js';
import type { ErrorCode } from '../protocol/index.js';
import type { SocketCloseReason } from './close-table.js';

const MAX_CONSECUTIVE_INVALID_FRAMES = 10;
const MAX_RATE_LIMITED = 100;
const RATE_LIMITED_WINDOW_MS = 10_000;
const MAX_PINGS_PER_SECOND = 20;

/** Counts the violations of a peer and closes its connection at a limit (protocol.md sections 1 and 6). */
export class Conduct {
  private invalidFrames = 0;
  /** Times of the latest refusals, oldest first. */
  private rateLimitedAt: number[] | undefined;
  private pings = 0;
  private pingsSince = 0;

  constructor(
    private readonly clock: Clock,
    private readonly close: (reason: SocketCloseReason) => void,
  ) {}

  noteValidFrame(): void {
    this.invalidFrames = 0;
  }

  /** Notes that a frame was refused with this code. */
  noteRefusal(code: ErrorCode): void {
    if (code === 'INVALID_FRAME' && ++this.invalidFrames >= MAX_CONSECUTIVE_INVALID_FRAMES) this.close('invalidFrames');
    if (code === 'RATE_LIMITED') this.noteRateLimited(this.clock.elapsed());
  }

  notePing(): void {
    const now = this.clock.elapsed();
    if (now - this.pingsSince >= 1_000) {
      this.pingsSince = now;
      this.pings = 0;
    }
    if (++this.pings > MAX_PINGS_PER_SECOND) this.close('rateLimit');
  }

  private noteRateLimited(now: number): void {
    this.rateLimitedAt ??= [];
    this.rateLimitedAt.push(now);
    if (this.rateLimitedAt.length < MAX_RATE_LIMITED) return;
    const hundredthLast = this.rateLimitedAt.shift() ?? now;
    if (now - hundredthLast <= RATE_LIMITED_WINDOW_MS) this.close('rateLimit');
  }
}
