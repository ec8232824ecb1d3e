import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may wait on one connection for the response before them. */
const MAX_PIPELINED = 16;

/** A request that is handled now. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
}

interface Line {
  current: Exchange;
  readonly waiting: Exchange[];
}

/**
 * Handles the requests of each connection one at a time, each when the response before it has been sent: a peer that
 * sends many requests and reads no response holds no more files and memory than one response needs.
 */
export class RequestLines {
  private readonly lines = new Map<Socket, Line>();

  constructor(private readonly handle: RequestListener) {}

  /** Takes a request. A connection on which too many wait is destroyed. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const exchange = { request, response, socket: request.socket };
    const line = this.lines.get(exchange.socket);
    if (!line) {
      this.lines.set(exchange.socket, { current: exchange, waiting: [] });
      this.run(exchange);
    } else if (line.waiting.length < MAX_PIPELINED) line.waiting.push(exchange);
    else exchange.socket.destroy();
  }

  /** The requests that are handled now, one for each connection. */
  *underWay(): Iterable<Exchange> {
    for (const { current } of this.lines.values()) yield current;
  }

  private run({ request, response, socket }: Exchange): void {
    response.once('close', () => this.goOn(socket));
    this.handle(request, response);
  }

  private goOn(socket: Socket): void {
    const line = this.lines.get(socket);
    const next = line?.waiting.shift();
    if (!line || !next || socket.destroyed) {
      this.lines.delete(socket);
      return;
    }
    line.current = next;
    this.run(next);
  }
}
