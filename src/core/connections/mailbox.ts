import { MAX_BUFFERED_BYTES } from '../delivery/frame-reader.js';

/** Number of waiting requests above which the peer is paused, and below which it goes on. */
const PAUSE_ABOVE = 256;
const RESUME_BELOW = 128;

/** The connection whose requests a {@link Mailbox} holds. */
export interface MailboxOwner<T> {
  /** Bytes that the peer has not taken yet. */
  readonly bufferedBytes: number;
  whenWritable(): Promise<void>;
  /** Handles one request. Returns a promise only where that takes time. Must not throw or reject. */
  handle(item: T): void | Promise<void>;
  /** Too many requests wait: none should be taken from the peer until {@link onRoom}. */
  onFull(): void;
  onRoom(): void;
}

/**
 * The requests of one connection, whatever carries them: handled strictly in the order in which they came, each when the
 * one before is done, and none while the peer does not take what it is sent. When too many wait, the peer is paused.
 */
export class Mailbox<T> {
  private readonly waiting: T[] = [];
  private isStarted = false;
  private isRunning = false;
  private isFull = false;
  private onIdle: (() => void) | undefined;

  constructor(private readonly owner: MailboxOwner<T>) {}

  /** Begins to handle requests. Those that came before have waited. */
  start(): void {
    this.isStarted = true;
    this.run();
  }

  push(item: T): void {
    this.waiting.push(item);
    if (this.waiting.length > PAUSE_ABOVE && !this.isFull) {
      this.isFull = true;
      this.owner.onFull();
    }
    if (this.isStarted && !this.isRunning) this.run();
  }

  /** Calls `listener` when every request that came has been handled. */
  whenIdle(listener: () => void): void {
    if (this.isRunning || !this.isStarted) this.onIdle = listener;
    else listener();
  }

  private run(): void {
    this.isRunning = true;
    void this.runAll();
  }

  private async runAll(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      const pending = this.owner.handle(next);
      if (pending) await pending;
      if (this.owner.bufferedBytes > MAX_BUFFERED_BYTES) await this.owner.whenWritable();
      if (this.isFull && this.waiting.length < RESUME_BELOW) {
        this.isFull = false;
        this.owner.onRoom();
      }
    }
    this.isRunning = false;
    this.onIdle?.();
  }
}
