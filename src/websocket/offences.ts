import type { CloseName } from '../protocol/closes.js';

const MAX_INVALID_FRAMES_IN_A_ROW = 10;
const MAX_RATE_LIMITED = 100;
const RATE_LIMITED_WINDOW_MS = 10_000;
const MAX_PINGS_PER_SECOND = 20;

/** What a peer does wrong, counted until it is enough (protocol.md sections 1 and 6). Each answer is the close that it has earned. */
export class Offences {
  private invalidFrames = 0;
  /** When the latest refusals were, oldest first. */
  private readonly rateLimitedAt: number[] = [];
  private pings = 0;
  private pingsSince = 0;

  noteValidFrame(): void {
    this.invalidFrames = 0;
  }

  noteInvalidFrame(): CloseName | undefined {
    return ++this.invalidFrames >= MAX_INVALID_FRAMES_IN_A_ROW ? 'invalidFrames' : undefined;
  }

  noteRateLimited(now: number): CloseName | undefined {
    this.rateLimitedAt.push(now);
    if (this.rateLimitedAt.length < MAX_RATE_LIMITED) return undefined;
    const hundredthLast = this.rateLimitedAt.shift() ?? now;
    return now - hundredthLast <= RATE_LIMITED_WINDOW_MS ? 'rateLimit' : undefined;
  }

  notePing(now: number): CloseName | undefined {
    if (now - this.pingsSince >= 1_000) {
      this.pingsSince = now;
      this.pings = 0;
    }
    return ++this.pings > MAX_PINGS_PER_SECOND ? 'rateLimit' : undefined;
  }
}
