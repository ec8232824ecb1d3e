import type { Duplex } from 'node:stream';
import { framedSize, writeFrame } from './frame-bytes.js';

/** Pieces that together are larger than this are handed over one by one, since copying them would cost more. */
const JOIN_UP_TO_BYTES = 65_536;

/** Above this, somebody may want to know when the peer has taken it. */
const WATCH_ABOVE_BYTES = 65_536;

/** Those with something to send in this turn of the event loop. */
const filled: Outbox[] = [];

/**
 * What a connection sends, collected during one turn of the event loop and handed to its socket in one write: a system
 * call for each frame is the largest cost there is.
 */
export class Outbox {
  /** Texts to be framed, and bytes that are framed already. */
  private pieces: (string | Buffer)[] = [];
  /** Of each piece, in bytes, without its framing. */
  private sizes: number[] = [];
  private pendingBytes = 0;
  private handedBytes = 0;

  /** `onTaken` is called when the peer has taken a larger amount. */
  constructor(
    private readonly socket: Duplex,
    private readonly onTaken: () => void,
  ) {}

  /** Bytes that the peer has not taken yet. */
  get bufferedBytes(): number {
    return this.pendingBytes + this.socket.writableLength;
  }

  /** Bytes that the peer has taken so far; whether it grows tells whether the peer reads. */
  get takenBytes(): number {
    return this.handedBytes - this.socket.writableLength;
  }

  /** Takes a text to be framed, or the bytes of frames. */
  add(piece: string | Buffer): void {
    const size = Buffer.byteLength(piece);
    if (this.pieces.length === 0) {
      // Immediates run when all that is readable now has been read and answered.
      if (filled.length === 0) setImmediate(flushAll);
      filled.push(this);
    }
    this.pieces.push(piece);
    this.sizes.push(size);
    this.pendingBytes += typeof piece === 'string' ? framedSize(size) : size;
  }

  /** Hands everything to the socket now. */
  flush(): void {
    if (this.pieces.length === 0) return;
    const { pieces, sizes, pendingBytes } = this;
    this.pieces = [];
    this.sizes = [];
    this.pendingBytes = 0;
    if (!this.socket.writable) return;
    this.handedBytes += pendingBytes;
    if (pendingBytes <= JOIN_UP_TO_BYTES && pieces.length > 1) return this.write(join(pieces, sizes, pendingBytes));
    this.socket.cork();
    for (const [i, piece] of pieces.entries()) {
      const size = sizes[i] ?? 0;
      this.write(typeof piece === 'string' ? join([piece], [size], framedSize(size)) : piece);
    }
    this.socket.uncork();
  }

  private write(bytes: Buffer): void {
    if (this.socket.writableLength + bytes.length > WATCH_ABOVE_BYTES) this.socket.write(bytes, this.onTaken);
    else this.socket.write(bytes);
  }
}

function flushAll(): void {
  for (const outbox of filled.splice(0)) outbox.flush();
}

function join(pieces: readonly (string | Buffer)[], sizes: readonly number[], wireSize: number): Buffer {
  const bytes = Buffer.allocUnsafe(wireSize);
  let at = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] ?? '';
    at = typeof piece === 'string' ? writeFrame(bytes, at, piece, sizes[i] ?? 0) : at + piece.copy(bytes, at);
  }
  return bytes;
}
