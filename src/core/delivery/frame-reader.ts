import type { BlockType } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
import type { DurableFrame } from '../store/index.js';

/** Frames of a session's log that were committed together, in the order of their seq. */
export interface FramesEvent {
  readonly kind: 'frames';
  readonly frames: readonly DurableFrame[];
}

/** A piece of a block that is still growing. It is not stored; the whole block follows as a frame. */
export interface DeltaEvent {
  readonly kind: 'delta';
  readonly sessionId: string;
  readonly messageId: string;
  readonly messageRef: string;
  readonly blockId: string;
  readonly blockType: BlockType;
  readonly text: string;
}

/** Reading a session continues at `fromSeq`; its frames follow. */
export interface ResumedEvent {
  readonly kind: 'resumed';
  /** The id of the request for it. */
  readonly requestId: string;
  readonly sessionId: string;
  readonly fromSeq: number;
  readonly headSeq: number;
  /** False when retention has deleted frames before `fromSeq` that were requested. */
  readonly isComplete: boolean;
}

/** An event for a reader. Readers of one session get the same object, so that an edge can encode it once. */
export type ReadingEvent = FramesEvent | DeltaEvent | ResumedEvent;

/** Why the core ends a connection. An edge has a close code and a text for each. */
export type CloseReason = 'goingAway' | 'restarting' | 'unauthorized' | 'revoked' | 'replaced' | 'slowReader';

/** The part of a connection that delivery uses. */
export interface FrameReader {
  readonly id: string;
  /** The party, within the tenant, for which the sessions that it reads are counted. */
  readonly principal: Pick<Principal, 'tenant'>;
  /** True if the reader gets {@link DeltaEvent}s. */
  readonly wantsDeltas: boolean;
  /** Bytes sent that the peer has not taken yet. */
  readonly bufferedBytes: number;
  /** The allowed buffer in bytes: at most {@link MAX_BUFFERED_BYTES}, less while others hold much. */
  readonly maxBufferedBytes: number;
  send(event: ReadingEvent): void;
  /** Resolves when at most half of the allowed buffer is in use, or when the connection is closed. */
  whenWritable(): Promise<void>;
  close(reason: CloseReason): void;
}

/** Maximum number of bytes buffered for one connection. Beyond it the log is read at the reader's pace (protocol.md section 5). */
export const MAX_BUFFERED_BYTES = 1_048_576;
