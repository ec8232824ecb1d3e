import type { Placed } from '../cache/bag.js';
import type { FollowedPosition } from '../store/index.js';
import type { FrameReader, FramesEvent } from './frame-reader.js';
import type { PageReader } from './page-reader.js';
import type { SlowReadersService } from './slow-readers.service.js';

/** The session of subscriptions. */
export interface ReadSession {
  readonly sessionId: string;
  /** The newest seq known to be committed. */
  headSeq: number;
}

/** The reader of subscriptions. */
export interface SubscriptionOwner {
  readonly reader: FrameReader;
  readonly services: SubscriptionServices;
  /** Reads the log for a subscription until it has caught up, or has ended. */
  catchUp(subscription: Subscription): void;
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
export class Subscription implements Placed {
  place = -1;
  /** The one after it in the list of its session, which alone changes it. */
  next: Subscription | undefined;
  private nextSeq: number;
  private state: 'live' | 'behind' | 'ended' = 'live';

  constructor(
    private readonly owner: SubscriptionOwner,
    readonly session: ReadSession,
    afterSeq: number,
  ) {
    this.nextSeq = afterSeq + 1;
  }

  get reader(): FrameReader {
    return this.owner.reader;
  }

  get takesDeltas(): boolean {
    const { wantsDeltas, bufferedBytes, maxBufferedBytes } = this.reader;
    return wantsDeltas && this.state === 'live' && bufferedBytes < maxBufferedBytes / 2;
  }

  /** Starts at a position that is looked up; what is committed meanwhile follows. `find` must not reject. */
  async startAt(find: () => Promise<FollowedPosition>): Promise<void> {
    this.state = 'behind';
    const { seq, headSeq } = await find();
    this.nextSeq = seq + 1;
    this.session.headSeq = Math.max(this.session.headSeq, headSeq);
    if (this.hasCaughtUp()) return;
    this.owner.catchUp(this);
  }

  /** Idempotent. */
  end(): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.owner.services.forget(this);
  }

  /** Takes frames that were just committed. The session's head covers them already. */
  offer(burst: FramesEvent): void {
    const { bufferedBytes, maxBufferedBytes } = this.reader;
    const isNext = burst.frames[0]?.seq === this.nextSeq;
    if (this.state === 'live' && isNext && bufferedBytes < maxBufferedBytes) this.sendBurst(burst);
    else this.checkHead();
  }

  /** Reads the log if the head is beyond what the reader has got. */
  checkHead(): void {
    if (this.state !== 'live' || this.nextSeq > this.session.headSeq) return;
    this.state = 'behind';
    this.owner.catchUp(this);
  }

  /** Sends one page of the log when the reader has room. Resolves with true while there is more to read. */
  async readPage(): Promise<boolean> {
    if (!(await this.waitForReader())) return false;
    const page = await this.owner.services.pages.read(this.session.sessionId, this.nextSeq - 1);
    if (page && this.isBehind()) {
      this.session.headSeq = Math.max(this.session.headSeq, page.headSeq);
      if (page.frames.length > 0) this.sendBurst({ kind: 'frames', frames: page.frames });
      // Retention has deleted the rest meanwhile: continue after it instead of waiting for it.
      else this.nextSeq = page.firstSeq;
    }
    return !this.hasCaughtUp();
  }

  private sendBurst(burst: FramesEvent): void {
    this.reader.send(burst);
    this.nextSeq = (burst.frames.at(-1)?.seq ?? this.nextSeq - 1) + 1;
  }

  /** Waits until the reader has room. Resolves with false when it has gone, or was closed because it takes nothing. */
  private async waitForReader(): Promise<boolean> {
    const { reader, services } = this.owner;
    while (this.isBehind() && reader.bufferedBytes >= reader.maxBufferedBytes / 2) {
      const hasTaken = await services.slowReaders.waitForProgress(reader);
      if (hasTaken || !this.isBehind()) continue;
      services.slowReaders.close(reader);
      this.end();
    }
    return this.isBehind();
  }

  /** Returns whether nothing is left to read. Is live from then on, in the same tick, so that the next burst is sent at once. */
  private hasCaughtUp(): boolean {
    if (this.isBehind() && this.nextSeq > this.session.headSeq) this.state = 'live';
    return !this.isBehind();
  }

  private isBehind(): boolean {
    return this.state === 'behind';
  }
}
