import type { ResumedPayload } from '../protocol/index.js';

/** A place in a log, and the epoch of the log under which it was known to be there. */
export interface LogPosition {
  readonly seq: number;
  readonly epoch: string | undefined;
}

/**
 * The position up to which one session's log has been read. Decides for each durable frame whether it is the next one.
 *
 * The log is dense, so order, repeats and gaps all follow from one number. A reader without a position starts at the
 * first frame it receives, because the gateway sends everything that follows the client's own message.
 */
export class SessionReader {
  #position: LogPosition | undefined;
  #resuming = false;
  #replayedUpTo = 0;

  constructor(position?: LogPosition) {
    this.#position = position;
  }

  /** The position of the last frame taken; undefined before the first. */
  get position(): LogPosition | undefined {
    return this.#position;
  }

  /**
   * Returns `take` for the next frame, `drop` for one that was taken or will arrive again, `gap` when frames are
   * missing. `epoch` is that of the connection on which it arrived.
   */
  judge(seq: number, epoch: string | undefined): 'take' | 'drop' | 'gap' {
    if (this.#position === undefined && this.#resuming) return 'drop';
    const expected = (this.#position?.seq ?? seq - 1) + 1;
    if (seq < expected) return 'drop';
    if (seq > expected) return this.#resuming ? 'drop' : 'gap';
    this.#position = { seq, epoch };
    return 'take';
  }

  /** Returns true when a frame was written while this client was connected, false when it was read from the log. */
  isLive(seq: number): boolean {
    return seq > this.#replayedUpTo;
  }

  /** Marks that a resume was sent: until its response only the very next frame is taken. */
  resume(): void {
    this.#resuming = true;
  }

  /** Clears the position: no frame is taken until a resume sets where to start. */
  forget(): void {
    this.#position = undefined;
    this.#resuming = true;
  }

  /** Sets the position after which to start, once resumed. */
  moveTo(position: LogPosition): void {
    this.#position = position;
  }

  /** Handles the response to a resume. Returns true when frames in between are past retention and lost. */
  resumed(answer: ResumedPayload, epoch: string | undefined): boolean {
    const lost = this.#position !== undefined && answer.from_seq > this.#position.seq + 1;
    if (this.#position === undefined || lost) this.#position = { seq: answer.from_seq - 1, epoch };
    this.#replayedUpTo = answer.head_seq;
    this.#resuming = false;
    return lost;
  }
}
