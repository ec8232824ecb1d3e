import type { CloseName } from '../../protocol/index.js';
import type { DurableFrame } from '../store/index.js';

/**
 * Frames that were committed together. Readers of one session are given the same object, so that an edge encodes it
 * once for all of them.
 */
export interface FrameBurst {
  readonly frames: readonly DurableFrame[];
}

/** What delivery needs of a connection. */
export interface FrameReader {
  readonly id: string;
  readonly wantsDeltas: boolean;
  /** Bytes handed over that the peer has not taken yet. */
  readonly bufferedBytes: number;
  sendBurst(burst: FrameBurst): void;
  send(frame: string): void;
  /** Resolves when at most half of the allowed buffer is in use, or when the connection is closed. */
  whenWritable(): Promise<void>;
  close(name: CloseName): void;
}

/** At most this much is buffered for one connection; beyond it the log is read at the reader's pace (protocol.md section 5). */
export const MAX_BUFFERED_BYTES = 1_048_576;
