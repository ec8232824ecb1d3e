/** The peer is paused above the first number of waiting requests, and resumed below the second. */
const PAUSE_ABOVE = 256;
const RESUME_BELOW = 128;

/** Minimum memory of a request under way, in bytes, for its callbacks ... */
const UNDER_WAY_BYTES = 2_048;

/** ... and so many times its size: thousands of small fields take more than twice their text, and it is encoded again. */
const UNDER_WAY_FACTOR = 4;

/** The connection whose requests a {@link Mailbox} holds. */
export interface MailboxOwner<T> {
  /** Bytes that the peer has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Maximum of {@link bufferedBytes}, of the waiting requests, and of those under way, in bytes (protocol.md section 5).
   * Above it the peer is paused, below half it is resumed.
   */
  readonly maxBufferedBytes: number;
  whenWritable(): Promise<void>;
  /** Returns the size of a request in bytes. */
  sizeOf(item: T): number;
  /** Handles one request. Returns a promise only if that is asynchronous. Must not throw or reject. */
  handle(item: T): void | Promise<void>;
  /** Called when too many requests wait. The owner pauses the peer until {@link onRoom}. */
  onFull(): void;
  onRoom(): void;
}

/**
 * The requests of one connection, independent of the transport. They are handled one at a time, in the order of arrival,
 * and only while the peer takes what is sent to it. When too many wait, the peer is paused (back-pressure). Some go on after
 * they were handled, until they are stored; when too many do, the next ones wait.
 */
export class Mailbox<T> {
  private readonly waiting: T[] = [];
  private bytes = 0;
  /** Size of the request that was handled last, in bytes. */
  private newestBytes = 0;
  private underWayBytes = 0;
  private onFewUnderWay: (() => void) | undefined;
  private isStarted = false;
  private isRunning = false;
  private isFull = false;
  private onIdle: (() => void) | undefined;

  constructor(private readonly owner: MailboxOwner<T>) {}

  /** Starts to handle requests, including those that arrived before. */
  start(): void {
    this.isStarted = true;
    this.run();
  }

  /** Size of the requests that wait or are under way, in bytes. */
  get heldBytes(): number {
    return this.bytes + this.underWayBytes;
  }

  /** Notes that the current request continues after its handler has returned. Pass the result to {@link end}. */
  begin(): number {
    const size = this.newestBytes * UNDER_WAY_FACTOR + UNDER_WAY_BYTES;
    this.underWayBytes += size;
    return size;
  }

  /** Notes the end of a request that had begun. */
  end(size: number): void {
    this.underWayBytes -= size;
    if (!this.onFewUnderWay || this.underWayBytes > this.owner.maxBufferedBytes / 2) return;
    this.onFewUnderWay();
    this.onFewUnderWay = undefined;
  }

  push(item: T): void {
    this.waiting.push(item);
    this.bytes += this.owner.sizeOf(item);
    if (!this.isFull && (this.waiting.length > PAUSE_ABOVE || this.bytes > this.owner.maxBufferedBytes)) {
      this.isFull = true;
      this.owner.onFull();
    }
    if (this.isStarted && !this.isRunning) this.run();
  }

  /** Calls `listener` when all requests have been handled. */
  whenIdle(listener: () => void): void {
    if (this.isRunning || !this.isStarted) this.onIdle = listener;
    else listener();
  }

  private get hasRoom(): boolean {
    return this.waiting.length < RESUME_BELOW && this.bytes <= this.owner.maxBufferedBytes / 2;
  }

  /** Not asynchronous itself, since most requests need no promise. */
  private run(): void {
    this.isRunning = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.newestBytes = this.owner.sizeOf(next);
      this.bytes -= this.newestBytes;
      const pending = this.owner.handle(next);
      if (pending || !this.mayGoOn) return void this.goOnAfter(pending);
      this.makeRoom();
    }
    this.isRunning = false;
    this.onIdle?.();
  }

  private async goOnAfter(pending: void | Promise<void>): Promise<void> {
    if (pending) await pending;
    if (this.underWayBytes > this.owner.maxBufferedBytes)
      await new Promise<void>((resolve) => (this.onFewUnderWay = resolve));
    if (this.owner.bufferedBytes > this.owner.maxBufferedBytes) await this.owner.whenWritable();
    this.makeRoom();
    this.run();
  }

  private get mayGoOn(): boolean {
    const { bufferedBytes, maxBufferedBytes } = this.owner;
    return this.underWayBytes <= maxBufferedBytes && bufferedBytes <= maxBufferedBytes;
  }

  private makeRoom(): void {
    if (!this.isFull || !this.hasRoom) return;
    this.isFull = false;
    this.owner.onRoom();
  }
}
