import type { Duplex } from 'node:stream';
import { framedSize, writeFrame } from './frame-bytes.js';

/** Pieces that are larger than this together, in bytes, are written one by one, because copying them would cost more. */
const JOIN_UP_TO_BYTES = 65_536;

/** Above this many unsent bytes, `onTaken` is called when the peer has taken them. */
const WATCH_ABOVE_BYTES = 65_536;

/** The connection that an {@link Outbox} belongs to. */
export interface OutboxOwner {
  /** The peer has taken a large amount. */
  onTaken(): void;
}

/** The outboxes that have something to send in this tick. */
const filled: Outbox[] = [];

/**
 * Collects what a connection sends during one tick and writes it to the socket at once, because a system call for each
 * frame would be the largest cost of sending.
 */
export class Outbox {
  /** Texts to frame, and bytes that are framed already. Undefined while there are none. */
  private pieces: (string | Buffer)[] | undefined;
  /** Size of each piece without its framing, in bytes. */
  private sizes: number[] | undefined;
  private pendingBytes = 0;
  private writtenBytes = 0;

  constructor(
    private readonly socket: Duplex,
    private readonly owner: OutboxOwner,
  ) {}

  /** Bytes that the peer has not taken yet. */
  get bufferedBytes(): number {
    return this.pendingBytes + this.socket.writableLength;
  }

  /** Bytes that the peer has taken so far. It grows as long as the peer reads. */
  get takenBytes(): number {
    return this.writtenBytes - this.socket.writableLength;
  }

  /** Adds a text to frame, or bytes that are framed already. */
  add(piece: string | Buffer): void {
    const size = Buffer.byteLength(piece);
    if (!this.pieces) {
      // Immediates run after everything that is readable now has been read and handled.
      if (filled.length === 0) setImmediate(flushAll);
      filled.push(this);
    }
    (this.pieces ??= []).push(piece);
    (this.sizes ??= []).push(size);
    this.pendingBytes += typeof piece === 'string' ? framedSize(size) : size;
  }

  /** Writes everything to the socket now. */
  flush(): void {
    const { pieces, sizes = [], pendingBytes } = this;
    if (!pieces) return;
    this.pieces = undefined;
    this.sizes = undefined;
    this.pendingBytes = 0;
    if (!this.socket.writable) return;
    this.writtenBytes += pendingBytes;
    if (pendingBytes <= JOIN_UP_TO_BYTES && pieces.length > 1)
      return this.write(this.join(pieces, sizes, pendingBytes));
    this.socket.cork();
    for (const [i, piece] of pieces.entries()) {
      const size = sizes[i] ?? 0;
      this.write(typeof piece === 'string' ? this.join([piece], [size], framedSize(size)) : piece);
    }
    this.socket.uncork();
  }

  private join(pieces: readonly (string | Buffer)[], sizes: readonly number[], wireSize: number): Buffer {
    // Bytes that wait for a slow peer would keep the whole pool in memory in which Node allocates small buffers.
    const bytes = this.socket.writableLength > 0 ? Buffer.allocUnsafeSlow(wireSize) : Buffer.allocUnsafe(wireSize);
    let at = 0;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i] ?? '';
      at = typeof piece === 'string' ? writeFrame(bytes, at, piece, sizes[i] ?? 0) : at + piece.copy(bytes, at);
    }
    return bytes;
  }

  private write(bytes: Buffer): void {
    if (this.socket.writableLength + bytes.length > WATCH_ABOVE_BYTES)
      this.socket.write(bytes, () => this.owner.onTaken());
    else this.socket.write(bytes);
  }
}

function flushAll(): void {
  for (const outbox of filled.splice(0)) outbox.flush();
}
