import type { ResumedPayload } from '../protocol/index.js';

/**
 * How far one session's log has been read: decides for each durable frame whether it is the next one.
 *
 * The log is dense, so order, repeats and gaps all follow from one number. A reader that knows no position yet takes the
 * first frame it is given as the beginning, since the gateway sends a sender everything after its message.
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

  get isResuming(): boolean {
    return this.#resuming;
  }

  /** `take` the next one, `drop` one that was taken before or will come again, `gap`: frames are missing, so resume. */
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

  /** A resume is on its way: until its answer nothing is taken but the very next frame. */
  resume(): void {
    this.#resuming = true;
  }

  /** Nothing is known any more; nothing is taken until a resume says where to begin. */
  forget(): void {
    this.#position = undefined;
    this.#resuming = true;
  }

  /** Begin after `seq`, once resumed. */
  moveTo(seq: number): void {
    this.#position = seq;
  }

  /** The gateway's answer to a resume. True when frames in between are past retention and lost. */
  resumed(answer: ResumedPayload): boolean {
    const lost = this.#position !== undefined && answer.from_seq > this.#position + 1;
    if (this.#position === undefined || lost) this.#position = answer.from_seq - 1;
    this.#replayedUpTo = answer.head_seq;
    this.#resuming = false;
    return lost;
  }
}
