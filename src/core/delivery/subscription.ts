import type { FrameReader, FramesEvent } from './frame-reader.js';
import type { FollowedPosition } from '../store/index.js';
import type { PageReader } from './page-reader.js';
import type { SlowReadersService } from './slow-readers.service.js';

/** A session that has readers. */
export interface SessionFeed {
  readonly sessionId: string;
  /** The newest seq known to be committed. */
  headSeq: number;
  /** A new list for each change: most have one entry, for which a set would take four times the memory. */
  subscriptions: readonly Subscription[];
  /** Number of its readers that want deltas, whether or not they keep up. */
  deltaReaders: number;
}

/** The services that all subscriptions share. */
export interface SubscriptionServices {
  readonly pages: PageReader;
  readonly slowReaders: SlowReadersService;
  /** Called when a subscription has ended. */
  forget(subscription: Subscription): void;
}

/**
 * One reader of one session. While the reader keeps up it is live: committed frames go straight to it. When it falls
 * behind, the frames it misses are read from the log at its own pace until it has caught up. Either way it gets each
 * frame once, in order, because only `nextSeq` decides what is sent.
 */
export class Subscription {
  private nextSeq: number;
  private isCatchingUp = false;
  private hasEnded = false;

  constructor(
    readonly reader: FrameReader,
    readonly feed: SessionFeed,
    afterSeq: number,
    private readonly services: SubscriptionServices,
  ) {
    this.nextSeq = afterSeq + 1;
  }

  get takesDeltas(): boolean {
    const { wantsDeltas, bufferedBytes, maxBufferedBytes } = this.reader;
    return wantsDeltas && !this.isCatchingUp && bufferedBytes < maxBufferedBytes / 2;
  }

  /** Starts at a position that is looked up; what is committed meanwhile follows. `find` must not reject. */
  async startAt(find: () => Promise<FollowedPosition>): Promise<void> {
    this.isCatchingUp = true;
    const { seq, headSeq } = await find();
    this.nextSeq = seq + 1;
    this.feed.headSeq = Math.max(this.feed.headSeq, headSeq);
    this.isCatchingUp = false;
    if (!this.hasEnded) this.checkHead();
  }

  /** Idempotent. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.services.forget(this);
  }

  /** Takes frames that were just committed. The feed's head covers them already. */
  offer(burst: FramesEvent): void {
    if (this.hasEnded) return;
    const [first] = burst.frames;
    const { bufferedBytes, maxBufferedBytes } = this.reader;
    if (!this.isCatchingUp && first?.seq === this.nextSeq && bufferedBytes < maxBufferedBytes) this.sendBurst(burst);
    else this.checkHead();
  }

  /** Reads the log if the head is beyond what the reader has got. */
  checkHead(): void {
    if (this.isCatchingUp || this.nextSeq > this.feed.headSeq) return;
    void this.catchUp();
  }

  private sendBurst(burst: FramesEvent): void {
    this.reader.send(burst);
    this.nextSeq = (burst.frames.at(-1)?.seq ?? this.nextSeq - 1) + 1;
  }

  private async catchUp(): Promise<void> {
    this.isCatchingUp = true;
    while (!this.hasEnded && this.nextSeq <= this.feed.headSeq) {
      const hasRead = await this.services.slowReaders.takeTurn(this.reader, () => this.readOn());
      if (!hasRead) break;
    }
    // In the same tick as the last check of the head, so that the next burst is sent live.
    this.isCatchingUp = false;
  }

  /** Sends one page when the reader has room. Returns false if it has gone. */
  private async readOn(): Promise<boolean> {
    if (!(await this.waitForReader())) return false;
    await this.sendPage();
    return true;
  }

  private async sendPage(): Promise<void> {
    const page = await this.services.pages.read(this.feed.sessionId, this.nextSeq - 1);
    if (!page || this.hasEnded) return;
    this.feed.headSeq = Math.max(this.feed.headSeq, page.headSeq);
    if (page.frames.length > 0) this.sendBurst({ kind: 'frames', frames: page.frames });
    // Retention has deleted the rest meanwhile: continue after it instead of waiting for it.
    else this.nextSeq = page.firstSeq;
  }

  /** Waits until the reader has room. Returns false when it has gone, or was closed because it takes nothing. */
  private async waitForReader(): Promise<boolean> {
    while (this.reader.bufferedBytes >= this.reader.maxBufferedBytes / 2) {
      const hasTaken = await this.services.slowReaders.waitForProgress(this.reader);
      if (this.hasEnded) return false;
      if (!hasTaken) {
        this.services.slowReaders.close(this.reader);
        return false;
      }
    }
    return !this.hasEnded;
  }
}
