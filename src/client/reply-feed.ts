import { GatewayError } from '../protocol/errors.js';
import type {
  HistoryMessage,
  MessageAckPayload,
  OutboundFrame,
  StreamBlock,
  StreamDeltaPayload,
  StreamEndPayload,
} from '../protocol/index.js';
import type { DurableFrame } from './frames.js';
import { ReplyEvents } from './reply-events.js';

/** What the gateway said when it had stored a message, and in which session. */
export interface Acknowledgement extends Pick<MessageAckPayload, 'message_ref' | 'status' | 'position'> {
  readonly session_id: string;
}

/** A block that stands. `seq` is 0 when the history told of it, which knows no seqs. */
interface StandingBlock {
  readonly seq: number;
  readonly block: StreamBlock;
}

/** The client's side of a reply: frames go in, events, blocks and promises come out. */
export class ReplyFeed {
  readonly events = new ReplyEvents();
  readonly acknowledged = Promise.withResolvers<Acknowledgement>();
  readonly ended = Promise.withResolvers<StreamEndPayload | undefined>();
  acknowledgement: Acknowledgement | undefined;
  cancelRequested = false;
  readonly #standing: StandingBlock[] = [];
  #parked: DurableFrame[] = [];
  /** Blocks that have only deltas so far, oldest first: what is held back of each. The oldest's deltas are passed on. */
  readonly #growing = new Map<string, Pick<StreamDeltaPayload, 'block_type' | 'delta'>>();
  /** Whether the deltas to come are all of their block; not so when a block may have begun unseen. */
  #hasAllDeltas = false;
  #over = false;

  constructor(readonly id: string) {
    // Nobody has to wait for these two: a reader of the events learns of a failure there.
    this.acknowledged.promise.catch(() => {});
    this.ended.promise.catch(() => {});
  }

  get standing(): readonly StreamBlock[] {
    return this.#standing.map(({ block }) => block);
  }

  /** `fresh`: accepted just now, so nothing of the reply has been missed. */
  acknowledge(acknowledgement: Acknowledgement, fresh: boolean): void {
    this.acknowledgement = acknowledgement;
    this.#hasAllDeltas = fresh;
    this.acknowledged.resolve(acknowledgement);
    if (acknowledgement.status === 'observed') return this.#finish(undefined);
    const parked = this.#parked.filter((frame) => frame.payload.message_ref === acknowledgement.message_ref);
    this.#parked = [];
    for (const frame of parked) this.take(frame, false);
  }

  /** A frame that may be this message's, read again from the log before its acknowledgement came. */
  park(frame: DurableFrame): void {
    this.#parked.push(frame);
  }

  /** `live`: written while this client was connected. */
  take(frame: DurableFrame, live: boolean): void {
    switch (frame.type) {
      case 'stream_block': {
        const { index, block_id, block_type, content, metadata } = frame.payload;
        this.#place(index, frame.seq, { block_id, block_type, content, ...(metadata && { metadata }) });
        break;
      }
      case 'stream_restart': {
        const { replaces_from_seq } = frame.payload;
        const keep = this.#standing.findIndex(({ seq }) => seq >= replaces_from_seq);
        this.#dropFrom(keep === -1 ? this.#standing.length : keep);
        break;
      }
      case 'tool_status':
        this.events.push({ type: 'tool', ...frame.payload });
        break;
      case 'stream_end':
        return this.#finish(frame.payload);
    }
    this.#hasAllDeltas ||= live;
  }

  /** Deltas overtake blocks, which have to be stored first; readers see one block grow at a time, in its place. */
  takeDelta({ payload: { block_id, block_type, delta } }: OutboundFrame<'stream_delta'>): void {
    if (!this.#hasAllDeltas) return;
    const held = this.#growing.get(block_id)?.delta ?? '';
    this.#growing.set(block_id, { block_type, delta: held + delta });
    this.#passOnOldest();
  }

  /** The connection was lost: deltas are missed from here on. */
  interrupt(): void {
    this.#hasAllDeltas = false;
    this.#growing.clear();
  }

  /** Takes over what the history tells of this message: frames were missed that cannot be read again. */
  settle(message: HistoryMessage): void {
    message.blocks.forEach((block, index) => this.#place(index, 0, block));
    if (this.#standing.length > message.blocks.length) this.#dropFrom(message.blocks.length);
    if (message.status === 'observed') return this.#finish(undefined);
    if (!message.end) return;
    const { reason, usage, error } = message.end;
    const blocks = message.blocks.length;
    this.#finish({
      id: this.id,
      message_ref: message.message_ref,
      reason,
      blocks,
      ...(usage && { usage }),
      ...(error && { error }),
    });
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

  #place(index: number, seq: number, block: StreamBlock): void {
    const known = this.#standing[index]?.block;
    if (known?.block_id === block.block_id && known.content === block.content) return;
    if (index < this.#standing.length) this.#dropFrom(index);
    this.#standing.push({ seq, block });
    this.events.push({ type: 'block', index, block });
    this.#growing.delete(block.block_id);
    this.#passOnOldest();
  }

  #passOnOldest(): void {
    const [oldest] = this.#growing;
    if (!oldest) return;
    const [block_id, { block_type, delta }] = oldest;
    this.#growing.set(block_id, { block_type, delta: '' });
    if (delta !== '') this.events.push({ type: 'delta', block_id, block_type, delta });
  }

  #dropFrom(keep: number): void {
    this.#standing.splice(keep);
    this.#growing.clear();
    this.events.push({ type: 'restart', keep });
  }

  #finish(end: StreamEndPayload | undefined): void {
    if (this.#over) return;
    this.#over = true;
    // Of what the history told nobody knows the seqs, so a restart cannot say which of it is replaced: the end can.
    if (end && this.#standing.length > end.blocks) this.#dropFrom(end.blocks);
    this.ended.resolve(end);
    if (end) this.events.push({ type: 'end', ...end });
    this.events.close();
  }
}
