import { createMatcher, type LogFilter, type LogLine, type LogRing } from '../core/telemetry/log-ring.js';
import { RESET, type EventSource, type StreamedEvent } from '../http/index.js';

/** The lines that a reader has not seen yet, in order. */
export class LogFollower implements EventSource {
  private readonly matches: (line: LogLine) => boolean;
  private seen: number;
  private isGap = false;

  /**
   * @param from the id of the last line that the reader has; undefined for those to come. All that is kept follows one of
   *   another process.
   */
  constructor(
    private readonly ring: LogRing,
    filter: LogFilter,
    from: string | undefined,
    private readonly toData: (line: LogLine) => string,
  ) {
    this.matches = createMatcher(filter);
    const [epoch, number = Number.NaN] = from === undefined ? [] : readId(from);
    if (from === undefined) this.seen = ring.head;
    else if (epoch === ring.epoch && number <= ring.head) this.seen = number;
    else {
      this.seen = 0;
      this.isGap = true;
    }
  }

  next(): StreamedEvent | undefined {
    if (this.seen < this.ring.start - 1) {
      this.isGap ||= this.seen > 0;
      this.seen = this.ring.start - 1;
    }
    if (this.isGap) {
      this.isGap = false;
      return RESET;
    }
    for (;;) {
      const line = this.ring.find(this.seen + 1);
      if (!line) return undefined;
      this.seen = line.number;
      if (this.matches(line)) return { id: `${this.ring.epoch}-${line.number}`, data: this.toData(line) };
    }
  }

  subscribe(listener: () => void): () => void {
    return this.ring.subscribe(listener);
  }
}

function readId(id: string): [epoch: string, number: number] {
  const [epoch = '', number] = id.split('-');
  return [epoch, Number(number)];
}
