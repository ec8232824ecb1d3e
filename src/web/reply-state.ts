import type { DurableFrame, HistoryMessage, OutboundFrame, StreamBlock } from '../client/index.js';

type EndPayload = OutboundFrame<'stream_end'>['payload'];
export type ToolStatus = OutboundFrame<'tool_status'>['payload'];

/** How a reply ended, as far as the page shows it. */
export type ReplyEnd = Pick<EndPayload, 'reason' | 'error'>;

interface StandingBlock {
  /** Its place in the session's log; 0 when the history told of it, which knows none. */
  readonly seq: number;
  readonly block: StreamBlock;
}

/** A message's reply as it stands: the log's frames and the history go in, blocks come out. */
export class ReplyState {
  #standing: StandingBlock[] = [];
  readonly #growing = new Map<string, StreamBlock>();
  /** The newest status of each tool call, by call id. The history does not tell them. */
  readonly tools = new Map<string, ToolStatus>();
  end: ReplyEnd | undefined;
  /** Whether the deltas to come are all of their block; not so when a block may have begun unseen. */
  hasAllDeltas: boolean;

  constructor(hasAllDeltas: boolean) {
    this.hasAllDeltas = hasAllDeltas;
  }

  /** The blocks that are complete. */
  get standing(): readonly StreamBlock[] {
    return this.#standing.map(({ block }) => block);
  }

  /** The blocks of which only deltas have come, as far as they have come. */
  get growing(): readonly StreamBlock[] {
    return [...this.#growing.values()];
  }

  /** Whether a tool call waits for somebody's word. */
  get isWaitingForPerson(): boolean {
    return [...this.tools.values()].some(({ status }) => status === 'awaiting_approval');
  }

  get hasBegun(): boolean {
    return this.#standing.length > 0 || this.#growing.size > 0 || this.tools.size > 0;
  }

  /** `live`: written while this page was connected, so what follows is seen whole. */
  take(frame: DurableFrame, live: boolean): void {
    switch (frame.type) {
      case 'stream_block':
        this.#place(frame);
        break;
      case 'stream_restart':
        this.#standing = this.#standing.filter(({ seq }) => seq < frame.payload.replaces_from_seq);
        this.#growing.clear();
        break;
      case 'tool_status':
        this.tools.set(frame.payload.call_id, frame.payload);
        break;
      case 'stream_end':
        this.#finish(frame.payload);
    }
    if (live) this.hasAllDeltas = true;
  }

  takeDelta({ block_id, block_type, delta }: OutboundFrame<'stream_delta'>['payload']): void {
    if (!this.hasAllDeltas || this.end) return;
    const content = (this.#growing.get(block_id)?.content ?? '') + delta;
    this.#growing.set(block_id, { block_id, block_type, content });
  }

  /** Takes over what the history tells, which is at least as new as what is here. */
  settle({ blocks, end, status }: Pick<HistoryMessage, 'blocks' | 'end' | 'status'>): void {
    this.#standing = blocks.map((block, index) => {
      const known = this.#standing[index];
      return known?.block.block_id === block.block_id ? known : { seq: 0, block };
    });
    this.#growing.clear();
    this.end = end;
    if (status === 'running') this.hasAllDeltas = false;
  }

  /** The connection was lost: deltas are missed from here on. */
  interrupt(): void {
    this.hasAllDeltas = false;
    this.#growing.clear();
  }

  #place({ seq, payload }: DurableFrame & OutboundFrame<'stream_block'>): void {
    const { index, block_id, block_type, content, metadata } = payload;
    this.#growing.delete(block_id);
    // The index says what a restart may not have been able to: blocks that the history told of have no seq.
    this.#standing.splice(index);
    this.#standing.push({ seq, block: { block_id, block_type, content, ...(metadata && { metadata }) } });
  }

  #finish({ reason, error, blocks }: EndPayload): void {
    this.#growing.clear();
    this.#standing.splice(blocks);
    this.end = { reason, ...(error && { error }) };
  }
}
