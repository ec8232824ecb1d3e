import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { EventStream, MAX_HELD_BYTES } from './event-stream.js';

/** A response whose reader takes nothing until `drain`. */
class StalledResponse extends EventEmitter {
  head: Readonly<Record<string, string>> = {};
  held = '';
  taken = '';

  get writableLength(): number {
    return this.held.length;
  }

  writeHead(_status: number, head: Readonly<Record<string, string>>): void {
    this.head = head;
  }

  write(text: string): boolean {
    this.held += text;
    return false;
  }

  take(): string {
    const text = this.held;
    this.held = '';
    this.taken += text;
    this.emit('drain');
    return text;
  }
}

const open = () => {
  const response = new StalledResponse();
  return { response, stream: new EventStream(response as unknown as ServerResponse) };
};
const anEvent = (id: string, size = 10) => ({ id, kind: 'turn' as const, data: JSON.stringify('x'.repeat(size)) });

describe('a stream of events', () => {
  it('[AD-23] may be neither kept nor collected by a proxy, and begins at once', () => {
    const { response } = open();
    expect(response.head).toMatchObject({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    });
    expect(response.take()).toBe(': open\n\n');
  });

  it('[AD-23] gives IDs to events only: the position of a reader does not move with a heartbeat or a reset', () => {
    const { response, stream } = open();
    response.take();
    stream.send(anEvent('s.1', 1));
    stream.beat();
    stream.reset();
    expect(response.take()).toBe(
      'id: s.1\nevent: turn\ndata: "x"\n\n:\nevent: heartbeat\ndata: {}\n\nevent: reset\ndata: {}\n\n',
    );
  });

  it('[AD-23] holds a bounded number of bytes for a reader that takes nothing, which gets a reset then', () => {
    const { response, stream } = open();
    for (let i = 0; i < 30; i++) stream.send(anEvent(`s.${i}`, MAX_HELD_BYTES / 10));
    expect(response.held.length).toBeLessThanOrEqual(MAX_HELD_BYTES);
    stream.beat();
    expect(response.take()).not.toContain('reset');
    expect(response.take()).toBe('event: reset\ndata: {}\n\n');
    stream.send(anEvent('s.99', 1));
    expect(response.take()).toContain('id: s.99');
  });
});
