import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
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
}

/** Receives the events of a socket. */
export interface SocketOwner {
  onMessage(data: Buffer, isBinary: boolean): void;
  /** A chunk of bytes has been parsed, and the messages that it completed have been passed on. */
  onBytes(): void;
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

/** The WebSocket of ws, with the close codes of its wire, an owner instead of listeners, and access to its parser. */
export class GatewayWebSocket extends WebSocket {
  owner: SocketOwner | undefined;

  /** Sets the owner. `stream` is the underlying socket. All sockets share the listeners, which saves memory per idle socket. */
  adopt(owner: SocketOwner, stream: Duplex): void {
    this.owner = owner;
    this.on('message', passMessage)
      .on('ping', passPing)
      .on('pong', passPong)
      .on('error', passFailure)
      .on('close', passEnd);
    stream.on('data', () => owner.onBytes());
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
    const { _receiver: parser } = this as unknown as { _receiver: Parser };
    return parser._state !== 0 || parser._fragmented !== 0 || parser._bufferedBytes > 0;
  }
}

function passMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  (this as GatewayWebSocket).owner?.onMessage(data as Buffer, isBinary);
}

function passPing(this: WebSocket): void {
  (this as GatewayWebSocket).owner?.onPing();
}

function passPong(this: WebSocket): void {
  (this as GatewayWebSocket).owner?.onPong();
}

function passFailure(this: WebSocket, error: Error): void {
  (this as GatewayWebSocket).owner?.onFailure(error);
}

function passEnd(this: WebSocket): void {
  (this as GatewayWebSocket).owner?.onEnd();
}
