import type { StreamBlock, ToolStatusPayload } from '../../protocol/domain.js';
import type { DeliveryService } from '../delivery/delivery.service.js';
import {
  endOf,
  type Claim,
  type DurableFrame,
  type Ending,
  type Json,
  type MessageEnd,
  type NewFrame,
} from '../store/index.js';
import { ReplyBlocks } from '../store/reply-blocks.js';
import { toSafeText } from '../store/safe-text.js';
import type { Clock } from '../time/clock.js';
import type { Piece } from './agent-runtime.js';

interface GrowingBlock {
  readonly id: string;
  /** The type of the newest piece. */
  type: Piece['blockType'];
  content: string;
}

/**
 * Builds the reply of one run: each piece is sent as a delta at once, and each complete block becomes a `stream_block`.
 * Tracks which blocks stand, and numbers them.
 */
export class ReplyBuilder {
  private readonly standing: ReplyBlocks;
  private growing: GrowingBlock | undefined;
  private blocksMade = 0;
  /** Number of standing blocks of the current answer, which no recorded step covers yet. */
  private unkept = 0;

  constructor(
    private readonly claim: Claim,
    private readonly delivery: Pick<DeliveryService, 'publishDelta'>,
    private readonly clock: Clock,
    /** The blocks of earlier runs that stand. */
    blocks: readonly StreamBlock[],
  ) {
    this.standing = new ReplyBlocks(blocks);
  }

  /** Takes a piece. Returns the frame of its block if the piece ends it. */
  take(piece: Piece): NewFrame | undefined {
    this.growing ??= { id: this.nextBlockId(), type: piece.blockType, content: '' };
    const text = toSafeText(piece.text);
    this.growing.type = piece.blockType;
    this.growing.content += text;
    if (text !== '') this.sendDelta(this.growing.id, piece.blockType, text);
    if (!piece.ends) return undefined;
    const { id, content } = this.growing;
    this.growing = undefined;
    if (this.unkept++ === 0) this.standing.mark();
    return this.buildBlock({
      block_id: id,
      block_type: piece.blockType,
      content,
      ...(hasFields(piece.metadata) && { metadata: { ...piece.metadata } }),
    });
  }

  /** Ends the block that grows as it was shown. Returns its frame; undefined if nothing of one was shown. */
  endPartial(): NewFrame | undefined {
    if (!this.growing || this.growing.content === '') return undefined;
    const { id, type, content } = this.growing;
    this.growing = undefined;
    return this.buildBlock({ block_id: id, block_type: type, content, metadata: { partial: true } });
  }

  /** Notes that the current answer is recorded: its blocks can no longer be taken back. */
  keep(): void {
    this.unkept = 0;
  }

  /** Drops the blocks of the current answer. Returns false when nothing of it was sent. */
  takeBack(): boolean {
    if (this.unkept === 0 && !this.growing) return false;
    if (this.unkept > 0) this.standing.takeBack();
    this.unkept = 0;
    this.growing = undefined;
    return true;
  }

  /** Returns the frame of a block whose content is complete. */
  buildWholeBlock(
    blockType: StreamBlock['block_type'],
    content: string,
    metadata?: Readonly<Record<string, unknown>>,
  ): NewFrame {
    const block = { block_id: this.nextBlockId(), block_type: blockType, content };
    return this.buildBlock({ ...block, ...(hasFields(metadata) && { metadata: { ...metadata } }) });
  }

  buildToolStatus(status: Omit<ToolStatusPayload, 'message_id' | 'message_ref'>): NewFrame {
    return this.frame('tool_status', JSON.stringify({ ...this.names(), ...status }));
  }

  /** Returns the frame that replaces the blocks from `replacesFromSeq` on. */
  buildRestart(replacesFromSeq: number): NewFrame {
    const { attempt } = this.claim;
    const payload = { ...this.names(), attempt, replaces_from_seq: replacesFromSeq };
    return this.frame('stream_restart', JSON.stringify(payload));
  }

  buildEnd(ending: Ending): MessageEnd {
    return endOf(this.claim.message, ending, this.clock.now(), this.standing);
  }

  private buildBlock(block: StreamBlock): NewFrame {
    // Encoded once for the log and the reply: a block can be as long as a message.
    const text = JSON.stringify(block);
    const place = JSON.stringify({ ...this.names(), attempt: this.claim.attempt, index: this.standing.length });
    this.standing.push(text);
    return this.frame('stream_block', `${place.slice(0, -1)},${text.slice(1)}`);
  }

  private frame(type: DurableFrame['type'], payload: Json): NewFrame {
    const { messageRef, messageId } = this.claim.message;
    return { type, messageRef, messageId, timestamp: this.clock.now(), payload };
  }

  private names(): { message_id: string; message_ref: string } {
    return { message_id: this.claim.message.messageId, message_ref: this.claim.message.messageRef };
  }

  private nextBlockId(): string {
    return `b_${this.claim.message.messageRef}_${this.claim.attempt}_${this.blocksMade++}`;
  }

  private sendDelta(blockId: string, blockType: Piece['blockType'], text: string): void {
    const { sessionId, messageId, messageRef } = this.claim.message;
    this.delivery.publishDelta({ kind: 'delta', sessionId, messageId, messageRef, blockId, blockType, text });
  }
}

function hasFields(metadata: Readonly<Record<string, unknown>> | undefined): boolean {
  return metadata !== undefined && Object.keys(metadata).length > 0;
}
