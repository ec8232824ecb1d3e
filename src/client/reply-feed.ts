import { GatewayError } from '../protocol/errors.js';
import type {
  HistoryMessage,
  MessageAckPayload,
  OutboundFrame,
  StreamBlock,
  StreamEndPayload,
} from '../protocol/index.js';
import {
  beginReply,
  interruptReply,
  isSameBlock,
  takeDelta,
  takeFrame,
  takeHistory,
  type ReplyState,
  type StandingBlock,
} from '../protocol/reply-state.js';
import { defer, type Deferred } from './deferred.js';
import type { DurableFrame } from './frames.js';
import { ReplyEvents } from './reply-events.js';

/** The gateway's acknowledgement of a stored message, with its session. */
export interface Acknowledgement extends Pick<MessageAckPayload, 'message_ref' | 'status' | 'position'> {
  readonly session_id: string;
}

/** The client's side of a reply: takes frames, provides events, blocks and promises. */
export class ReplyFeed {
  readonly events = new ReplyEvents();
  readonly acknowledged: Deferred<Acknowledgement> = defer<Acknowledgement>();
  readonly ended: Deferred<StreamEndPayload | undefined> = defer<StreamEndPayload | undefined>();
  acknowledgement: Acknowledgement | undefined;
  cancelRequested = false;
  #state = beginReply();
  #parked: DurableFrame[] = [];
  /** The growing block whose deltas are emitted. */
  #growingId: string | undefined;
  #over = false;

  constructor(readonly id: string) {
    // Prevents unhandled rejections: a reader of the events sees the failure there.
    this.acknowledged.promise.catch(() => {});
    this.ended.promise.catch(() => {});
  }

  get standing(): readonly StreamBlock[] {
    return this.#state.standing.map(({ block }) => block);
  }

  /** `fresh`: accepted just now, so no part of the reply was missed. */
  acknowledge(acknowledgement: Acknowledgement, fresh: boolean): void {
    this.acknowledgement = acknowledgement;
    this.#state = beginReply(fresh);
    this.acknowledged.resolve(acknowledgement);
    if (acknowledgement.status === 'observed') return this.#finish(undefined);
    const parked = this.#parked.filter((frame) => frame.payload.message_ref === acknowledgement.message_ref);
    this.#parked = [];
    for (const frame of parked) this.take(frame, false);
  }

  /** Keeps a frame that may belong to this message, read from the log before the acknowledgement arrived. */
  park(frame: DurableFrame): void {
    this.#parked.push(frame);
  }

  /** `isLive`: written while this client followed the session. */
  take(frame: DurableFrame, isLive: boolean): void {
    this.#advance(takeFrame(this.#state, frame, isLive), frame.type === 'stream_restart');
    if (frame.type === 'tool_status') this.events.push({ type: 'tool', ...frame.payload });
    if (frame.type === 'stream_end') this.#finish(frame.payload);
  }

  takeDelta({ payload }: OutboundFrame<'stream_delta'>): void {
    const next = takeDelta(this.#state, payload);
    if (next === this.#state) return;
    this.#state = next;
    const { block_id, block_type, delta } = payload;
    if (block_id === this.#growingId) this.events.push({ type: 'delta', block_id, block_type, delta });
    else this.#passOnOldest();
  }

  /**
   * Marks that deltas may be missed from here on: the connection was lost, or the log is read from another position.
   */
  interrupt(): void {
    this.#state = interruptReply(this.#state);
    this.#growingId = undefined;
  }

  /** Takes the message from a history page, when frames were missed that cannot be read again. */
  settle(message: HistoryMessage, headSeq: number): void {
    this.#advance(takeHistory(this.#state, message, headSeq), false);
    if (message.status === 'observed') return this.#finish(undefined);
    const { end, standing } = this.#state;
    if (end) this.#finish({ id: this.id, message_ref: message.message_ref, blocks: standing.length, ...end });
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.acknowledged.reject(error);
    this.ended.reject(error);
    this.events.close(error);
  }

  /** @throws GatewayError the error that the reply ended with */
  async collect(): Promise<readonly StreamBlock[]> {
    const end = await this.ended.promise;
    if (end?.error) throw GatewayError.fromPayload(end.error);
    return this.standing;
  }

  /** Emits the difference between the current and the next state as events. */
  #advance(next: ReplyState, isRestart: boolean): void {
    const before = this.#state.standing;
    this.#state = next;
    const { standing } = next;
    const difference = standing.findIndex((each, i) => {
      const known = before[i];
      return each !== known && (!known || !isSameBlock(known.block, each.block));
    });
    const keep = difference < 0 ? standing.length : difference;
    if (isRestart || keep < before.length) this.events.push({ type: 'restart', keep });
    for (let index = keep; index < standing.length; index++)
      this.events.push({ type: 'block', index, block: (standing[index] as StandingBlock).block });
    this.#passOnOldest();
  }

  /** Deltas may overtake the preceding blocks; the reader is shown one growing block at a time, in order. */
  #passOnOldest(): void {
    const [oldest] = this.#state.growing;
    if (oldest && oldest.block_id !== this.#growingId) {
      const { block_id, block_type, content } = oldest;
      this.events.push({ type: 'delta', block_id, block_type, delta: content });
    }
    this.#growingId = oldest?.block_id;
  }

  #finish(end: StreamEndPayload | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.ended.resolve(end);
    if (end) this.events.push({ type: 'end', ...end });
    this.events.close();
  }
}
