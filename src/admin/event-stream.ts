import type { ServerResponse } from 'node:http';
import type { StreamEvent } from './event-log.js';

/** Bytes that are held for one reader. One that takes nothing misses events after that, and gets a reset. */
export const MAX_HELD_BYTES = 1_048_576;

/**
 * Server-Sent Events to one reader. Events that are not part of the stream have no ID: they would move the reader's position
 * past events that it has not seen.
 */
export class EventStream {
  /** True if the reader has missed events. */
  private isBehind = false;

  constructor(private readonly response: ServerResponse) {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      // Proxies must not collect events before they pass them on.
      'X-Accel-Buffering': 'no',
    });
    response.write(': open\n\n');
    response.on('drain', () => this.catchUp());
  }

  send({ id, kind, data }: StreamEvent): void {
    this.write(`id: ${id}\nevent: ${kind}\ndata: ${data}\n\n`);
  }

  /** Sends the event after which the reader, which has missed events, reads the lists. */
  reset(): void {
    this.write('event: reset\ndata: {}\n\n');
  }

  /** Shows the reader and the proxies that the stream is alive. */
  beat(): void {
    if (!this.isBehind) this.write(':\nevent: heartbeat\ndata: {}\n\n');
  }

  end(): void {
    this.response.end();
  }

  private write(text: string): void {
    if (this.isBehind) return;
    if (this.response.writableLength + Buffer.byteLength(text) > MAX_HELD_BYTES) this.isBehind = true;
    else this.response.write(text);
  }

  /** Continues with a reset once the reader has taken everything that was held for it. */
  private catchUp(): void {
    if (!this.isBehind) return;
    this.isBehind = false;
    this.reset();
  }
}
