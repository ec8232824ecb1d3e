import type { ResumedPayload } from '../protocol/index.js';

/**
 * The position up to which one session's log has been read. Decides for each durable frame whether it is the next one.
 *
 * The log is dense, so order, repeats and gaps all follow from one number. A reader without a position starts at the
 * first frame it receives, because the gateway sends everything that follows the client's own message.
 */
export class SessionReader {
  #position: number | undefined;
  #resuming = false;
  #replayedUpTo = 0;

  constructor(position?: number) {
    this.#position = position;
  }

  /** The seq of the last frame taken; undefined before the first. */
  get position(): number | undefined {
    return this.#position;
  }

  /**
   * Returns `take` for the next frame, `drop` for one that was taken or will arrive again, `gap` when frames are
   * missing.
   */
  judge(seq: number): 'take' | 'drop' | 'gap' {
    if (this.#position === undefined && this.#resuming) return 'drop';
    const expected = (this.#position ?? seq - 1) + 1;
    if (seq < expected) return 'drop';
    if (seq > expected) return this.#resuming ? 'drop' : 'gap';
    this.#position = seq;
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
  moveTo(seq: number): void {
    this.#position = seq;
  }

  /** Handles the response to a resume. Returns true when frames in between are past retention and lost. */
  resumed(answer: ResumedPayload): boolean {
    const lost = this.#position !== undefined && answer.from_seq > this.#position + 1;
    if (this.#position === undefined || lost) this.#position = answer.from_seq - 1;
    this.#replayedUpTo = answer.head_seq;
    this.#resuming = false;
    return lost;
  }
}
