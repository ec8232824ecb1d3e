import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../core/time/clock.js';

/** Bytes that wait for a client that reads slowly; what comes later waits at its source. */
const MAX_WAITING_BYTES = 1_048_576;

/** A proxy closes a connection on which nothing was sent for a minute; a comment is sent this often. */
const COMMENT_INTERVAL_MS = 15_000;

/** One event of a stream. Only an event that can be asked for again has an id. */
export interface StreamedEvent {
  readonly id?: string | undefined;
  readonly event?: string | undefined;
  readonly data: string;
}

/** The source of a stream, at the position of its reader. */
export interface EventSource {
  /** Returns the next event; undefined if there is none yet. */
  next(): StreamedEvent | undefined;
  /** Calls `listener` when there is more. Returns a function that unsubscribes it. */
  subscribe(listener: () => void): () => void;
  /** Resolves with false once the client's credential no longer holds. */
  holds(): Promise<boolean>;
}

/**
 * Sends Server-Sent Events until the client leaves or its credential ends. The source is asked for the next event only
 * while the client reads, so a slow client costs no memory beyond {@link MAX_WAITING_BYTES}.
 */
export function sendEvents(
  request: IncomingMessage,
  response: ServerResponse,
  source: EventSource,
  clock: Clock,
): void {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
    Connection: 'keep-alive',
  });
  response.flushHeaders();
  response.write(':\n\n');
  const send = () => {
    while (!response.destroyed && response.writableLength < MAX_WAITING_BYTES) {
      const event = source.next();
      if (!event) return;
      response.write(format(event));
    }
  };
  const beat = async () => {
    if (!(await source.holds())) response.end();
    else if (response.writableLength === 0) response.write(':\n\n');
  };
  const unsubscribe = source.subscribe(send);
  const stopBeating = clock.setRepeating(COMMENT_INTERVAL_MS, () => void beat());
  response.on('drain', send);
  request.socket.setNoDelay(true);
  response.on('close', () => {
    unsubscribe();
    stopBeating();
  });
  send();
}

function format({ id, event, data }: StreamedEvent): string {
  const lines = data.split('\n').map((line) => `data: ${line}\n`);
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}${lines.join('')}\n`;
}
