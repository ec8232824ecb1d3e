import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { StopStep } from '../core/lifecycle/steps.js';
import { Clock } from '../core/time/clock.js';

/** Bytes that wait for a client that reads slowly, before the last event; what comes later waits at its source. */
const MAX_WAITING_BYTES = 524_288;

/**
 * Period of comments on an idle stream, since proxies close a connection that is silent for a minute. In milliseconds.
 */
export const HEARTBEAT_INTERVAL_MS = 15_000;

/** A comment for proxies, and an event for readers. It has no id, which would move the position of the reader. */
const HEARTBEAT = ':\nevent: heartbeat\ndata: {}\n\n';

/** One event of a stream. Only an event that can be asked for again has an id. */
export interface StreamedEvent {
  readonly id?: string | undefined;
  readonly event?: string | undefined;
  readonly data: string;
}

/** Says that events are missing before the next one: the reader reads the lists again. */
export const RESET: StreamedEvent = { event: 'reset', data: '{}' };

/** The source of a stream, at the position of its reader. */
export interface EventSource {
  /** Returns the next event; undefined if there is none yet. */
  next(): StreamedEvent | undefined;
  /** Calls `listener` when there is more. Returns a function that unsubscribes it. */
  subscribe(listener: () => void): () => void;
}

/** Sends Server-Sent Events. The guard of a route ends a stream with the credential of its reader. */
@Injectable()
export class EventStreamsService {
  private readonly open = new Set<ServerResponse>();

  constructor(private readonly clock: Clock) {}

  /**
   * Sends the events of a source, and a heartbeat every 15 s, until the client leaves. The source is asked for the next event only
   * while the client reads, so a slow client holds less than 1 MiB.
   */
  send(response: ServerResponse, source: EventSource): void {
    // The client may have left while its request was looked at; its 'close' is over then.
    if (response.destroyed) return;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      // Proxies must not collect events before they pass them on.
      'X-Accel-Buffering': 'no',
      Connection: 'keep-alive',
    });
    response.flushHeaders();
    response.write(':\n\n');
    const send = () => {
      // It may have ended with the gateway, and not closed yet: lines of the log come until then.
      while (!response.writableEnded && !response.destroyed && response.writableLength < MAX_WAITING_BYTES) {
        const event = source.next();
        if (!event) return;
        response.write(format(event));
      }
    };
    const unsubscribe = source.subscribe(send);
    const stopBeating = this.clock.setRepeating(HEARTBEAT_INTERVAL_MS, () => {
      if (!response.writableEnded && response.writableLength === 0) response.write(HEARTBEAT);
    });
    this.open.add(response);
    response.on('drain', send);
    response.socket?.setNoDelay(true);
    response.once('close', () => {
      unsubscribe();
      stopBeating();
      this.open.delete(response);
    });
    send();
  }

  @StopStep({ name: 'end event streams', phase: 'disconnect' })
  endAll(): void {
    for (const response of this.open) response.end();
  }
}

function format({ id, event, data }: StreamedEvent): string {
  const lines = data.split('\n').map((line) => `data: ${line}\n`);
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}${lines.join('')}\n`;
}
