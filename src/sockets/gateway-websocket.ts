import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { freeBytes } from '../core/cache/free-bytes.js';
import type { SocketCloseReason } from './close-table.js';

/** Reasons of closes that ws itself initiates, by its codes. Code 1008 means too many fragments, which counts as too big. */
const WS_CLOSES: Readonly<Partial<Record<number, SocketCloseReason>>> = {
  1002: 'protocolError',
  1003: 'unsupportedData',
  1007: 'invalidUtf8',
  1008: 'tooBig',
  1009: 'tooBig',
};

/** The state of ws's parser that shows whether it is inside a message. Private in ws, so a test pins it. */
interface Parser {
  readonly _state: number;
  readonly _fragmented: number;
  readonly _bufferedBytes: number;
  readonly _buffers: Buffer[];
  readonly _messageLength: number;
}

/** Size that a chunk of an unfinished message counts for in addition to its bytes. A peer decides how small chunks are. */
const CHUNK_BYTES = 256;

/** Receives the events of a socket. */
export interface SocketOwner {
  onMessage(data: Buffer, isBinary: boolean): void;
  /** A chunk of `size` bytes has been parsed, and the messages that it completed have been passed on. */
  onBytes(size: number): void;
  onPing(): void;
  onPong(): void;
  /** A close frame is about to be sent, by the gateway or by ws. Nothing may be sent after it. */
  beforeClose(): void;
  /** Returns the code and the text of a close. */
  describeClose(reason: SocketCloseReason): { readonly code: number; readonly reason: string };
  /** The peer violated the protocol, or the line broke. The socket closes by itself. */
  onFailure(error: Error & { readonly code?: string }): void;
  /** The socket has closed. */
  onEnd(): void;
}

/** The owner of the socket on a stream, for a listener that all streams share. */
const OWNER = Symbol('owner');
type OwnedStream = Duplex & { [OWNER]?: SocketOwner };

/** The WebSocket of ws, with the close codes of its wire, an owner instead of listeners, and access to its parser. */
export class GatewayWebSocket extends WebSocket {
  owner: SocketOwner | undefined;

  /** Sets the owner. `stream` is the underlying socket. No socket has listeners of its own, which saves memory. */
  adopt(owner: SocketOwner, stream: OwnedStream): void {
    this.owner = owner;
    stream[OWNER] = owner;
    stream.on('data', passBytes);
  }

  /** Passes events to the owner, which needs no listeners. */
  override emit(event: string | symbol, ...all: unknown[]): boolean {
    const { owner } = this;
    if (!owner) return super.emit(event, ...all);
    switch (event) {
      case 'message':
        owner.onMessage(all[0] as Buffer, all[1] as boolean);
        return true;
      case 'ping':
        owner.onPing();
        return true;
      case 'pong':
        owner.onPong();
        return true;
      case 'error':
        owner.onFailure(all[0] as Error);
        return true;
      case 'close':
        owner.onEnd();
    }
    return super.emit(event, ...all);
  }

  /** `reason` is undefined when ws itself closes because of a fault of the peer. */
  override close(code?: number, reason?: string | Buffer): void {
    this.owner?.beforeClose();
    const ownReason = reason === undefined ? WS_CLOSES[code ?? 0] : undefined;
    const row = ownReason && this.owner?.describeClose(ownReason);
    super.close(row?.code ?? code, row?.reason ?? reason);
  }

  /** True if the peer has begun a message, or a frame of it, that is not complete. */
  get isMidMessage(): boolean {
    const { parser } = this;
    return parser._state !== 0 || parser._fragmented !== 0 || parser._bufferedBytes > 0;
  }

  /** Size in memory of the message that the peer has begun and that is not complete, in bytes. */
  get unfinishedBytes(): number {
    const { _bufferedBytes, _buffers, _messageLength } = this.parser;
    return _bufferedBytes + _buffers.length * CHUNK_BYTES + _messageLength;
  }

  /** Frees what has arrived of an unfinished message. The socket must have closed. */
  freeUnfinished(): void {
    for (const chunk of this.parser._buffers.splice(0)) freeBytes(chunk);
  }

  private get parser(): Parser {
    return (this as unknown as { _receiver: Parser })._receiver;
  }
}

function passBytes(this: OwnedStream, chunk: Buffer): void {
  this[OWNER]?.onBytes(chunk.length);
}
