import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { EventStreamsService, HEARTBEAT_INTERVAL_MS, type StreamedEvent } from './event-streams.service.js';

/** A response whose reader takes nothing until `take`. */
class StalledResponse extends EventEmitter {
  head: Readonly<Record<string, string>> = {};
  held = '';
  writableEnded = false;
  destroyed = false;

  get writableLength(): number {
    return this.held.length;
  }

  writeHead(_status: number, head: Readonly<Record<string, string>>): void {
    this.head = head;
  }

  flushHeaders(): void {}

  write(text: string): boolean {
    if (this.writableEnded) throw new Error('write after end');
    this.held += text;
    return false;
  }

  /** Its connection closes later. */
  end(): void {
    this.writableEnded = true;
  }

  take(): string {
    const text = this.held;
    this.held = '';
    this.emit('drain');
    return text;
  }
}

/** Events that wait for their reader. */
class Queue {
  readonly events: StreamedEvent[] = [];
  listener: (() => void) | undefined;

  next(): StreamedEvent | undefined {
    return this.events.shift();
  }

  subscribe(listener: () => void): () => void {
    this.listener = listener;
    return () => (this.listener = undefined);
  }

  add(event: StreamedEvent): void {
    this.events.push(event);
    this.listener?.();
  }
}

function open({ hasLeft = false } = {}) {
  const clock = new ManualClock();
  const streams = new EventStreamsService(clock);
  const response = new StalledResponse();
  response.destroyed = hasLeft;
  const source = new Queue();
  streams.send(response as unknown as ServerResponse, source);
  return { clock, streams, response, source };
}

describe('a stream of events', () => {
  it('[AD-23] may be neither kept nor collected by a proxy, and begins at once', () => {
    const { response } = open();
    expect(response.head).toMatchObject({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    });
    expect(response.take()).toBe(':\n\n');
  });

  it('[AD-23] gives IDs to events only: the position of a reader does not move with a heartbeat or a reset', () => {
    const { clock, response, source } = open();
    response.take();
    source.add({ id: 's.1', event: 'turn', data: '"x"' });
    expect(response.take()).toBe('id: s.1\nevent: turn\ndata: "x"\n\n');
    clock.advance(HEARTBEAT_INTERVAL_MS);
    expect(response.take()).toBe(':\nevent: heartbeat\ndata: {}\n\n');
    source.add({ data: 'two\nlines' });
    expect(response.take()).toBe('data: two\ndata: lines\n\n');
  });

  it('[AD-23] holds less than 1 MiB for a reader that takes nothing, and leaves the rest at the source', () => {
    const { clock, response, source } = open();
    for (let i = 0; i < 30; i++) source.add({ id: `s.${i}`, data: 'x'.repeat(100_000) });
    clock.advance(HEARTBEAT_INTERVAL_MS);
    expect(response.held.length).toBeLessThan(1_048_576);
    expect(response.held).not.toContain('heartbeat');
    const left = source.events.length;
    expect(left).toBeGreaterThan(20);
    response.take();
    expect(source.events.length).toBeLessThan(left);
  });

  it('[AD-24] is not kept for a client that has left while its request was looked at', () => {
    const { clock, response, source } = open({ hasLeft: true });
    expect([response.held, source.listener, clock.pendingTimers]).toEqual(['', undefined, 0]);
  });

  it('[AD-24] ends with the gateway, and asks its source for nothing more, also before its connection has closed', () => {
    const { clock, streams, response, source } = open();
    response.take();
    streams.endAll();
    source.add({ data: 'a line of the log' });
    clock.advance(HEARTBEAT_INTERVAL_MS);
    response.emit('close');
    expect([response.writableEnded, response.held, source.listener]).toEqual([true, '', undefined]);
  });
});
