import { GatewayError } from '../../protocol/domain.js';
import type { DeliveryService } from '../delivery/delivery.service.js';
import type {
  DurableFrame,
  JoinOutcome,
  JoinWrite,
  JournalEntry,
  Lease,
  NewFrame,
  TurnEnd,
  TurnWrite,
  WriteOutcome,
} from '../store/index.js';
import type { Log } from '../telemetry/logs.js';
import type { Clock } from '../time/clock.js';

/** Frames of one write: a fast answer of thousands of blocks must not keep other turns from writing, or the event loop from turning. */
const MOST_FRAMES = 256;

/** How long a turn waits before it tries a failed write again, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** The session belongs to somebody else now: this run of the turn is over, and must not write or say anything more. */
export class LeaseLostError extends Error {
  constructor() {
    super('the lease of the session was lost');
    this.name = 'LeaseLostError';
  }
}

/**
 * Writes what a turn produces, in order. Frames are collected while a write is under way and go with the next one, so a
 * fast answer costs few commits and a slow one is shown at once. When the store is unavailable the turn waits and tries
 * again: its work is not thrown away because a disk is full.
 */
export class TurnWriter {
  private readonly frames: NewFrame[] = [];
  private readonly journal: JournalEntry[] = [];
  private underWay: Promise<void> | undefined;
  /** A write has left; before that, what is under way only waits for more. */
  private isWriting = false;
  private failure: unknown;
  private recordedSeq: number;
  private isClosed = false;

  constructor(
    private readonly lease: Lease,
    /** The seq of the session's newest frame; all that the turn writes comes after it. */
    private lastSeq: number,
    private readonly delivery: DeliveryService,
    private readonly clock: Clock,
    private readonly log: Log,
    /** Aborts when the run has to stop at once: waiting for the store ends then. */
    private readonly giveUp: AbortSignal,
  ) {
    this.recordedSeq = lastSeq;
  }

  /** The seq up to which recorded steps cover what the turn has written. */
  get recordedUpTo(): number {
    return this.recordedSeq;
  }

  /** Adds a frame; it is written as soon as the writer is free. Nothing is added to a turn that has ended. */
  add(frame: NewFrame): void {
    if (this.isClosed) return;
    this.frames.push(frame);
    this.start();
  }

  /** Adds a step that nothing waits for; it is written with what stands before it. */
  addStep(entry: JournalEntry): void {
    if (this.isClosed) return;
    this.journal.push(entry);
    this.start();
  }

  /** Adds a step with what stands before it, and resolves when it is durable. @throws LeaseLostError */
  async record(entry: JournalEntry, ...frames: readonly NewFrame[]): Promise<void> {
    if (this.isClosed) throw new LeaseLostError();
    this.journal.push(entry);
    this.frames.push(...frames);
    await this.flush();
  }

  /** Writes what takes waiting messages into the turn, after all that was added; false when one of them waits no more. @throws LeaseLostError */
  async join(write: JoinWrite): Promise<boolean> {
    await this.flush();
    const outcome = await this.persist(() => this.delivery.join(this.lease, write));
    if (outcome.kind === 'changed') return false;
    this.note(outcome.frames, true);
    return true;
  }

  /** Resolves when all that was added is durable. @throws LeaseLostError */
  async flush(): Promise<void> {
    this.start();
    while (this.underWay) await this.underWay;
    if (this.failure !== undefined) throw this.failure;
  }

  /**
   * The last write: what is left and the end of the turn in one commit. What comes after it, from a tool or an agent that
   * was left behind, goes nowhere. @throws LeaseLostError
   */
  async finish(end: Omit<TurnEnd, 'journal'>): Promise<void> {
    this.isClosed = true;
    // What has not left yet leaves with the end.
    if (this.isWriting) await this.underWay;
    if (this.failure !== undefined) throw this.failure;
    while (this.frames.length > MOST_FRAMES) await this.append(this.take());
    const write = this.take();
    await this.persist(() =>
      this.delivery.finish(this.lease, { ...end, ...write, frames: [...write.frames, ...end.frames] }),
    );
  }

  private start(): void {
    if (this.underWay || this.failure !== undefined || (this.frames.length === 0 && this.journal.length === 0)) return;
    this.underWay = this.writeAll();
  }

  private async writeAll(): Promise<void> {
    try {
      // In the next turn of the event loop: what is added in this one goes together.
      await new Promise((resolve) => setImmediate(resolve));
      while (!this.isClosed && (this.frames.length > 0 || this.journal.length > 0)) {
        this.isWriting = true;
        await this.append(this.take());
      }
    } catch (error) {
      this.failure = error;
    } finally {
      this.underWay = undefined;
      this.isWriting = false;
    }
  }

  private async append(write: TurnWrite): Promise<void> {
    const { frames } = await this.persist(() => this.delivery.append(this.lease, write));
    this.note(frames, write.journal.length > 0);
  }

  private note(frames: readonly DurableFrame[], isStep: boolean): void {
    this.lastSeq = frames.at(-1)?.seq ?? this.lastSeq;
    if (isStep) this.recordedSeq = this.lastSeq;
  }

  private take(): TurnWrite {
    const frames = this.frames.splice(0, MOST_FRAMES);
    // A step is written with the last of the frames that stand before it.
    const journal = this.frames.length === 0 ? this.journal.splice(0) : [];
    return { frames, journal };
  }

  private async persist<O extends WriteOutcome | JoinOutcome>(
    write: () => Promise<O>,
  ): Promise<Exclude<O, { kind: 'fenced' }>> {
    for (;;) {
      if (this.giveUp.aborted) throw new LeaseLostError();
      try {
        const outcome = await write();
        if (outcome.kind === 'fenced') throw new LeaseLostError();
        return outcome as Exclude<O, { kind: 'fenced' }>;
      } catch (error) {
        if (!(error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE')) throw error;
        this.log.warn(
          { error, message_ref: this.lease.messageRef },
          'a turn cannot be written; it waits for the store',
        );
        await this.clock.sleep(RETRY_AFTER_MS, this.giveUp);
      }
    }
  }
}
