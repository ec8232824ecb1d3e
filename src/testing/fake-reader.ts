import { encodeDurableFrame } from '../protocol/encode.js';
import { beginReply, takeFrame, type ReplyFrame } from '../protocol/reply-state.js';
import {
  MAX_BUFFERED_BYTES,
  type CloseReason,
  type FrameReader,
  type ReadingEvent,
} from '../core/delivery/frame-reader.js';
import { LOCAL_OPERATOR, type Principal } from '../core/identity/principal.js';
import { encodeEvent } from '../websocket/event-frames.js';

/** An outbound frame as a client would parse it. */
export interface SeenFrame {
  readonly type: string;
  readonly seq?: number;
  readonly session_id?: string;
  readonly correlation_id?: string;
  readonly payload: Record<string, unknown>;
}

let readers = 0;

/** A reader that records the frames it is sent. With {@link isSlow} its buffer fills until {@link drain}. */
export class FakeReader implements FrameReader {
  readonly id = `reader-${++readers}`;
  principal: Pick<Principal, 'tenant'> = LOCAL_OPERATOR;
  readonly frames: SeenFrame[] = [];
  bufferedBytes = 0;
  maxBufferedBytes = MAX_BUFFERED_BYTES;
  closedWith: CloseReason | undefined;
  /** True if sent frames stay in the buffer until {@link drain}. */
  isSlow = false;
  private readonly waiters: (() => void)[] = [];
  private readonly arrivals: (() => void)[] = [];

  constructor(readonly wantsDeltas = false) {}

  send(event: ReadingEvent): void {
    if (event.kind === 'frames') for (const frame of event.frames) this.take(encodeDurableFrame(frame));
    else this.take(encodeEvent(event) as string);
  }

  whenWritable(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  close(reason: CloseReason): void {
    this.closedWith = reason;
    this.drain();
  }

  private take(frame: string): void {
    this.frames.push(JSON.parse(frame) as SeenFrame);
    if (this.isSlow) this.bufferedBytes += frame.length;
    for (const arrive of this.arrivals.splice(0)) arrive();
  }

  /** Empties the buffer, as if the peer had received everything. */
  drain(): void {
    this.bufferedBytes = 0;
    for (const resume of this.waiters.splice(0)) resume();
  }

  /** Resolves with the first frame that fits, whether it was already sent or comes later. */
  async waitFor(fits: (frame: SeenFrame) => boolean): Promise<SeenFrame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.arrivals.push(resolve));
    }
  }

  /** Resolves with the end of the message `id`. */
  waitForEnd(id: string): Promise<SeenFrame> {
    return this.waitFor((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
  }

  /** The standing blocks of a message, as a conforming client shows them. */
  blocksOf(id: string): { type: string; content: string }[] {
    const frames = this.frames.filter(({ seq, payload }) => seq !== undefined && payload['message_id'] === id);
    const { standing } = frames.reduce(
      (reply, frame) => takeFrame(reply, frame as unknown as ReplyFrame, true),
      beginReply(),
    );
    return standing.map(({ block: { block_type: type, content } }) => ({ type, content }));
  }

  /** The seqs of all sent frames, in the order sent. */
  get seqs(): number[] {
    return this.frames.flatMap((frame) => frame.seq ?? []);
  }
}
