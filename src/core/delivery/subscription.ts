import type { FrameStore } from '../store/index.js';
import type { Log } from '../telemetry/logs.js';
import type { Clock } from '../time/clock.js';
import { MAX_BUFFERED_BYTES, MAX_STALL_MS, type FrameReader, type FramesEvent } from './frame-reader.js';

/** What is known of a session that somebody reads. */
export interface SessionFeed {
  readonly sessionId: string;
  /** The newest seq known to be committed. */
  headSeq: number;
  readonly subscriptions: Set<Subscription>;
  /** How many of its readers want deltas, whether or not they keep up. */
  deltaReaders: number;
}

/** What a subscription reports to its owner. */
export interface SubscriptionListener {
  /** The reader was closed because it took nothing. */
  onSlow(): void;
  onEnd(): void;
}

/** How much of the log is read at once for a reader that is behind. */
const PAGE_FRAMES = 256;
const PAGE_BYTES = 262_144;
const RETRY_READ_AFTER_MS = 1_000;

/**
 * One reader of one session. It is live as long as it keeps up: then committed frames go straight to it. When it falls
 * behind, what it misses is read from the log at its own pace, until it has caught up. Either way it gets each frame
 * once, in order, because only `nextSeq` decides what is sent.
 */
export class Subscription {
  private nextSeq: number;
  private isCatchingUp = false;
  private hasEnded = false;

  constructor(
    readonly reader: FrameReader,
    readonly feed: SessionFeed,
    afterSeq: number,
    private readonly frames: FrameStore,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly listener: SubscriptionListener,
  ) {
    this.nextSeq = afterSeq + 1;
  }

  get takesDeltas(): boolean {
    return this.reader.wantsDeltas && !this.isCatchingUp && this.reader.bufferedBytes < MAX_BUFFERED_BYTES / 2;
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.listener.onEnd();
  }

  /** Takes frames that were just committed; the feed's head covers them already. */
  offer(burst: FramesEvent): void {
    const [first] = burst.frames;
    if (!this.isCatchingUp && first?.seq === this.nextSeq && this.reader.bufferedBytes < MAX_BUFFERED_BYTES)
      this.sendBurst(burst);
    else this.offerNothing();
  }

  /** Looks whether there is anything in the log that the reader has not got. */
  offerNothing(): void {
    if (this.isCatchingUp || this.nextSeq > this.feed.headSeq) return;
    void this.catchUp();
  }

  private sendBurst(burst: FramesEvent): void {
    this.reader.tell(burst);
    this.nextSeq = (burst.frames.at(-1)?.seq ?? this.nextSeq - 1) + 1;
  }

  private async catchUp(): Promise<void> {
    this.isCatchingUp = true;
    while (!this.hasEnded && this.nextSeq <= this.feed.headSeq) {
      if (!(await this.waitForReader())) break;
      await this.sendPage();
    }
    // In the same breath as the last look at the head: a burst that comes after it finds the reader live.
    this.isCatchingUp = false;
  }

  private async sendPage(): Promise<void> {
    try {
      const page = await this.frames.readFrames(this.feed.sessionId, this.nextSeq - 1, PAGE_FRAMES, PAGE_BYTES);
      if (this.hasEnded) return;
      this.feed.headSeq = Math.max(this.feed.headSeq, page.headSeq);
      if (page.frames.length > 0) this.sendBurst({ kind: 'frames', frames: page.frames });
      // What retention has cut meanwhile is gone; going on behind it beats waiting for ever.
      else this.nextSeq = Math.max(page.firstSeq, page.headSeq + 1);
    } catch (error) {
      this.log.warn(
        { error, session_id: this.feed.sessionId },
        'the log could not be read for a reader; trying again in a second',
      );
      await this.clock.sleep(RETRY_READ_AFTER_MS);
    }
  }

  /** Waits until the reader has room. False when it is gone, or was closed because it takes nothing. */
  private async waitForReader(): Promise<boolean> {
    while (this.reader.bufferedBytes >= MAX_BUFFERED_BYTES / 2) {
      const before = this.reader.bufferedBytes;
      const patience = new AbortController();
      await Promise.race([this.reader.whenWritable(), this.clock.sleep(MAX_STALL_MS, patience.signal)]);
      patience.abort();
      if (this.hasEnded) return false;
      if (this.reader.bufferedBytes >= before) {
        this.listener.onSlow();
        this.reader.close('slowReader');
        return false;
      }
    }
    return !this.hasEnded;
  }
}
