import type { ResumedPayload } from '../protocol/index.js';

/**
 * The position up to which one session's log has been read. Decides for each durable frame whether it is the next one.
 *
 * The log is dense, so order, repeats and gaps all follow from one number. A reader without a position takes the first
 * frame as the beginning, since the gateway sends a sender everything after its message.
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

  /** Returns `take` for the next frame, `drop` for one that was taken or will come again, `gap` when frames are missing. */
  judge(seq: number): 'take' | 'drop' | 'gap' {
    if (this.#position === undefined && this.#resuming) return 'drop';
    const expected = (this.#position ?? seq - 1) + 1;
    if (seq < expected) return 'drop';
    if (seq > expected) return this.#resuming ? 'drop' : 'gap';
    this.#position = seq;
    return 'take';
  }

  /** Whether a frame was written while this client was connected, rather than read again from the log. */
  isLive(seq: number): boolean {
    return seq > this.#replayedUpTo;
  }

  /** A resume was sent: until its response only the very next frame is taken. */
  resume(): void {
    this.#resuming = true;
  }

  /** Forgets the position: no frame is taken until a resume says where to begin. */
  forget(): void {
    this.#position = undefined;
    this.#resuming = true;
  }

  /** Sets the position to begin after, once resumed. */
  moveTo(seq: number): void {
    this.#position = seq;
  }

  /** Takes the response to a resume. Returns true when frames in between are past retention and lost. */
  resumed(answer: ResumedPayload): boolean {
    const lost = this.#position !== undefined && answer.from_seq > this.#position + 1;
    if (this.#position === undefined || lost) this.#position = answer.from_seq - 1;
    this.#replayedUpTo = answer.head_seq;
    this.#resuming = false;
    return lost;
  }
}
