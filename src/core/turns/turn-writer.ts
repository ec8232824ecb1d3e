import { GatewayError } from '../../protocol/domain.js';
import type { LogWriterService } from '../delivery/log-writer.service.js';
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

/** Maximum number of frames in one write, so that a reply of thousands of blocks does not delay other turns or the event loop. */
const MAX_FRAMES_PER_WRITE = 256;

/** Maximum length of the payloads in one write, in UTF-16 units. A longer frame is written alone. */
const MAX_LENGTH_PER_WRITE = 262_144;

/** Pause before a failed write is repeated, in milliseconds. */
const RETRY_DELAY_MS = 1_000;

/** This run no longer owns the session. It must write and send nothing more. */
export class LeaseLostError extends Error {
  constructor() {
    super('the lease of the session was lost');
    this.name = 'LeaseLostError';
  }
}

/**
 * Writes the frames and steps of a turn, in order. Frames that arrive during a write go with the next one, so a fast
 * reply needs few commits and a slow one is shown at once. While the store is unavailable the writer waits and retries:
 * the turn's work is not lost because a disk is full.
 */
export class TurnWriter {
  private readonly frames: NewFrame[] = [];
  /** Length of their payloads. */
  private length = 0;
  private readonly journal: JournalEntry[] = [];
  private underWay: Promise<void> | undefined;
  /** True from the start of the first write; until then `underWay` waits for more frames of the same tick. */
  private isWriting = false;
  private failure: unknown;
  private recordedSeq: number;
  private isClosed = false;

  constructor(
    private readonly lease: Lease,
    /** The seq of the newest frame of the session. */
    private lastSeq: number,
    private readonly logWriter: LogWriterService,
    private readonly clock: Clock,
    private readonly log: Log,
    /** Aborts when the run must write nothing more. Ends the wait for the store. */
    private readonly abandon: AbortSignal,
  ) {
    this.recordedSeq = lastSeq;
  }

  /** The seq of the last frame that a recorded step covers. */
  get recordedUpTo(): number {
    return this.recordedSeq;
  }

  /** Adds a frame, which is written as soon as the writer is free. Does nothing after {@link finish}. */
  add(frame: NewFrame): void {
    if (this.isClosed) return;
    this.push(frame);
    this.start();
  }

  /** Adds a step without waiting for it. It is written with the frames before it. */
  addStep(entry: JournalEntry): void {
    if (this.isClosed) return;
    this.journal.push(entry);
    this.start();
  }

  /**
   * Resolves when there is room for more frames: fewer wait than one write takes. Without it, an agent that is faster than
   * the store would fill the memory, and collecting that garbage would block the event loop.
   */
  async whenRoom(): Promise<void> {
    if (this.frames.length >= MAX_FRAMES_PER_WRITE || this.length >= MAX_LENGTH_PER_WRITE) await this.underWay;
  }

  /** Adds frames and a step that covers all frames so far. Resolves when it is durable. @throws LeaseLostError */
  async record(entry: JournalEntry, ...frames: readonly NewFrame[]): Promise<void> {
    if (this.isClosed) throw new LeaseLostError();
    this.journal.push(entry);
    for (const frame of frames) this.push(frame);
    await this.flush();
  }

  /**
   * Lets waiting messages join the turn, after everything that was added. Resolves with false, having written nothing,
   * when one of them no longer waits.
   * @throws LeaseLostError
   */
  async join(write: JoinWrite): Promise<boolean> {
    await this.flush();
    const outcome = await this.persist(() => this.logWriter.join(this.lease, write));
    if (outcome.kind === 'changed') return false;
    this.note(outcome.frames, true);
    return true;
  }

  /** Resolves when everything that was added is durable. @throws LeaseLostError */
  async flush(): Promise<void> {
    this.start();
    while (this.underWay) await this.underWay;
    if (this.failure !== undefined) throw this.failure;
  }

  /**
   * Writes the rest and the end of the turn in one commit. Later additions, by a tool or an agent that ignored its
   * signal, are dropped.
   * @throws LeaseLostError
   */
  async finish(end: Omit<TurnEnd, 'journal'>): Promise<void> {
    this.isClosed = true;
    // If no write has started yet, everything is written with the end.
    if (this.isWriting) await this.underWay;
    if (this.failure !== undefined) throw this.failure;
    let write = this.take();
    while (this.frames.length > 0) {
      await this.append(write);
      write = this.take();
    }
    await this.persist(() =>
      this.logWriter.finish(this.lease, { ...end, ...write, frames: [...write.frames, ...end.frames] }),
    );
  }

  private start(): void {
    if (this.underWay || this.failure !== undefined || (this.frames.length === 0 && this.journal.length === 0)) return;
    this.underWay = this.writeAll();
  }

  private async writeAll(): Promise<void> {
    try {
      // In the next tick, so that additions of this one are written together.
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
    const { frames } = await this.persist(() => this.logWriter.append(this.lease, write));
    this.note(frames, write.journal.length > 0);
  }

  private note(frames: readonly DurableFrame[], isStep: boolean): void {
    this.lastSeq = frames.at(-1)?.seq ?? this.lastSeq;
    if (isStep) this.recordedSeq = this.lastSeq;
  }

  private take(): TurnWrite {
    const frames = this.frames.splice(0, this.countOfNext());
    for (const { payload } of frames) this.length -= payload.length;
    // A step is written with the last of the frames that it covers.
    const journal = this.frames.length === 0 ? this.journal.splice(0) : [];
    return { frames, journal };
  }

  private push(frame: NewFrame): void {
    this.frames.push(frame);
    this.length += frame.payload.length;
  }

  /** Returns the number of frames in the next write. */
  private countOfNext(): number {
    let length = 0;
    const tooMany = this.frames.findIndex(({ payload }, index) => {
      length += payload.length;
      return index === MAX_FRAMES_PER_WRITE || (index > 0 && length > MAX_LENGTH_PER_WRITE);
    });
    return tooMany < 0 ? this.frames.length : tooMany;
  }

  private async persist<O extends WriteOutcome | JoinOutcome>(
    write: () => Promise<O>,
  ): Promise<Exclude<O, { kind: 'fenced' }>> {
    for (;;) {
      if (this.abandon.aborted) throw new LeaseLostError();
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
        await this.clock.sleep(RETRY_DELAY_MS, this.abandon);
      }
    }
  }
}
