import { RESET, type EventSource, type StreamedEvent } from '../http/index.js';
import type { EventLog } from './event-log.js';

/** The events that a reader has not seen yet, in order. */
export class EventFollower implements EventSource {
  private position: number;
  /** True if events are missing before the next one. */
  private isGap = false;

  /**
   * @param lastId the ID of the last event that the reader has; undefined for those to come
   * @param subscribe see {@link EventSource}
   */
  constructor(
    private readonly log: EventLog,
    lastId: string | undefined,
    readonly subscribe: EventSource['subscribe'],
  ) {
    const last = lastId === undefined ? log.end - 1 : log.numberOf(lastId);
    this.isGap = last === undefined;
    this.position = last === undefined ? log.end : last + 1;
  }

  next(): StreamedEvent | undefined {
    if (this.isGap || this.position < this.log.start) {
      this.isGap = false;
      // The reader reads the lists after a reset, and they have what the older events say.
      this.position = this.log.end;
      return RESET;
    }
    const event = this.log.find(this.position);
    if (!event) return undefined;
    this.position++;
    return { id: event.id, event: event.kind, data: event.data };
  }
}
