import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { SocketCloseReason } from './close-table.js';

/** The reasons for which ws itself closes, by its codes. "Too many fragments" (1008) is a frame too big by other means. */
const WS_CLOSES: Readonly<Partial<Record<number, SocketCloseReason>>> = {
  1002: 'protocolError',
  1003: 'unsupportedData',
  1007: 'invalidUtf8',
  1008: 'tooBig',
  1009: 'tooBig',
};

/** The part of ws's parser that tells whether it stands inside a message; private there, so a test watches it. */
interface Parser {
  readonly _state: number;
  readonly _fragmented: number;
  readonly _bufferedBytes: number;
}

/** Takes what happens on a socket. */
export interface SocketOwner {
  onMessage(data: Buffer, isBinary: boolean): void;
  /** Some bytes have been parsed, with whatever messages they completed. */
  onBytes(): void;
  onPing(): void;
  onPong(): void;
  /** A close frame is about to be sent, by the gateway or by ws: nothing may follow it. */
  beforeClose(): void;
  /** Returns the code and the text of a close. */
  describeClose(reason: SocketCloseReason): { readonly code: number; readonly reason: string };
  /** The peer broke the rules, or the line broke. The socket closes by itself. */
  onFailure(error: Error & { readonly code?: string }): void;
  /** It is over. */
  onEnd(): void;
}

/** ws's WebSocket, with the closes of its wire, an owner instead of listeners, and a look into its parser. */
export class GatewayWebSocket extends WebSocket {
  owner: SocketOwner | undefined;

  /** `stream` is the socket underneath. The listeners are shared by all sockets: they are most of what an idle one costs. */
  adopt(owner: SocketOwner, stream: Duplex): void {
    this.owner = owner;
    this.on('message', passMessage)
      .on('ping', passPing)
      .on('pong', passPong)
      .on('error', passFailure)
      .on('close', passEnd);
    stream.on('data', () => owner.onBytes());
  }

  /** `reason` is missing when ws itself closes because of what the peer has sent. */
  override close(code?: number, reason?: string | Buffer): void {
    this.owner?.beforeClose();
    const ownReason = reason === undefined ? WS_CLOSES[code ?? 0] : undefined;
    const row = ownReason && this.owner?.describeClose(ownReason);
    super.close(row?.code ?? code, row?.reason ?? reason);
  }

  /** Whether the peer has begun a message, or a frame of it, that is not complete. */
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
