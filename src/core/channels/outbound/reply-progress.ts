import type { StreamBlock, ToolStatusPayload } from '../../../protocol/domain.js';
import { beginReply, takeDelta, takeFrame, type ReplyFrame, type ReplyState } from '../../../protocol/reply-state.js';
import type { DeltaEvent } from '../../delivery/frame-reader.js';
import type { DurableFrame } from '../../store/index.js';

/** A call of a reply that needs an approval. */
export interface AskedCall {
  readonly approvalId: string;
  readonly callId: string;
  readonly tool: string;
  readonly parameters: unknown;
  /** A description of what the call will do, if its tool gives one. */
  readonly detail?: string;
  /** Undefined while it waits. */
  outcome?: 'approved' | 'denied';
}

/** One reply as its frames arrive. */
export class ReplyProgress {
  /** The seq of its first frame; infinite while there are only deltas. */
  firstSeq = Infinity;
  /** When the newest frame was written, in Unix milliseconds; before the first one, when the first delta came. */
  writtenAt: number;
  private state: ReplyState;
  /** Number of blocks that no restart can replace any more, because a tool call follows them. */
  private settledBlocks = 0;
  /** By the ID of the approval. */
  private readonly calls = new Map<string, AskedCall>();
  private change = Promise.withResolvers<void>();

  /** @param hasAllDeltas the reader has followed the session since before the reply */
  constructor(
    readonly messageRef: string,
    readonly messageId: string,
    hasAllDeltas: boolean,
    now: number,
  ) {
    this.writtenAt = now;
    this.state = beginReply(hasAllDeltas);
  }

  /** The blocks that stand, without those that still grow. */
  get blocks(): readonly StreamBlock[] {
    return this.state.standing.map(({ block }) => block);
  }

  /** The blocks of which only a part has arrived, up to the first file, which cannot be shown in pieces. */
  get growing(): readonly StreamBlock[] {
    const { growing } = this.state;
    const file = growing.findIndex(({ block_type: type }) => type === 'image' || type === 'audio');
    return file < 0 ? growing : growing.slice(0, file);
  }

  /** The blocks that no restart of the reply can replace. */
  get settled(): readonly StreamBlock[] {
    return this.end ? this.blocks : this.blocks.slice(0, this.settledBlocks);
  }

  get end(): ReplyState['end'] {
    return this.state.end;
  }

  /** The calls that need an approval, also those that were decided. */
  get asked(): readonly AskedCall[] {
    return [...this.calls.values()];
  }

  /** Resolves with the next change. */
  get changed(): Promise<void> {
    return this.change.promise;
  }

  take({ type, seq, payload, timestamp }: DurableFrame): void {
    const frame = { type, seq, payload: JSON.parse(payload) as unknown } as ReplyFrame;
    this.state = takeFrame(this.state, frame, true);
    this.firstSeq = Math.min(this.firstSeq, seq);
    this.writtenAt = timestamp;
    if (type === 'stream_restart') this.settledBlocks = Math.min(this.settledBlocks, this.state.standing.length);
    // An answer of the model is journalled before its tool calls are requested.
    if (type === 'tool_status') {
      this.settledBlocks = this.state.standing.length;
      this.noteCall(JSON.parse(payload) as ToolStatusPayload);
    }
    this.wake();
  }

  private noteCall({ call_id: callId, tool, status, approval, detail }: ToolStatusPayload): void {
    if (status === 'awaiting_approval' && approval) {
      const { approval_id: approvalId, arguments: parameters } = approval;
      const call = { approvalId, callId, tool, parameters, ...(detail !== undefined && { detail }) };
      if (!this.calls.has(approvalId)) this.calls.set(approvalId, call);
      return;
    }
    if (status === 'requested') return;
    for (const call of this.calls.values()) {
      if (call.callId !== callId || call.outcome) continue;
      call.outcome = status === 'denied' ? 'denied' : 'approved';
    }
  }

  takeDelta({ blockId, blockType, text }: DeltaEvent): void {
    this.state = takeDelta(this.state, { block_id: blockId, block_type: blockType, delta: text });
    this.wake();
  }

  /** Resolves {@link changed} without a change. */
  wake(): void {
    this.change.resolve();
    this.change = Promise.withResolvers();
  }
}
