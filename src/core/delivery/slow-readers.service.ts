import { Injectable } from '@nestjs/common';
import { Metrics, type Counter } from '../telemetry/metrics.js';
import { Clock } from '../time/clock.js';
import type { FrameReader } from './frame-reader.js';

/** A reader that takes nothing for this long is closed as `slowReader` (protocol.md section 5), in milliseconds. */
export const MAX_STALL_MS = 60_000;

/** Closes readers that take nothing of what is sent to them, and counts them. */
@Injectable()
export class SlowReadersService {
  private readonly counter: Counter;
  private readonly closed = new WeakSet<object>();

  constructor(
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.counter = metrics
      .counter({
        name: 'openclaw_slow_readers_total',
        help: 'Connections that were closed because their peer took nothing of what was sent.',
      })
      .with({});
  }

  /** Waits until the reader is writable, at most {@link MAX_STALL_MS}. Returns whether it has taken anything meanwhile. */
  async waitForProgress(reader: FrameReader): Promise<boolean> {
    const before = reader.bufferedBytes;
    const waiting = new AbortController();
    await Promise.race([reader.whenWritable(), this.clock.sleep(MAX_STALL_MS, waiting.signal)]);
    waiting.abort();
    return reader.bufferedBytes < before;
  }

  /** Closes a reader as `slowReader`. Counts it once, however many of its subscriptions find it slow. */
  close(reader: Pick<FrameReader, 'close'>): void {
    if (this.closed.has(reader)) return;
    this.closed.add(reader);
    this.counter.add();
    reader.close('slowReader');
  }
}
