import { randomBytes } from 'node:crypto';

/** Number of events that are kept for readers that come back, and their length in characters. */
export const MAX_EVENTS = 10_000;
export const MAX_EVENTS_LENGTH = 4_194_304;

/** The kinds of events, each named after the list whose rows it has. */
export const EVENT_KINDS = [
  'connection',
  'message',
  'turn',
  'tool',
  'approval',
  'channel',
  'dead_letter',
  'node',
  'cron',
  'config',
  'status',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** An event of a stream. */
export interface StreamEvent {
  /** Opaque. It belongs to one stream: to this start of the gateway, and to one tenant. */
  readonly id: string;
  readonly kind: EventKind;
  /** JSON, in one line. */
  readonly data: string;
}

/** The newest events of one tenant, in memory. */
export class EventLog {
  private readonly stream = randomBytes(9).toString('base64url');
  private readonly events: StreamEvent[] = [];
  /** The index of the oldest event that is kept. */
  private first = 0;
  private length = 0;
  private count = 0;

  append(kind: EventKind, row: object): StreamEvent {
    const event = { id: `${this.stream}.${(this.count++).toString(36)}`, kind, data: JSON.stringify(row) };
    this.events.push(event);
    this.length += event.data.length;
    while (this.events.length - this.first > MAX_EVENTS || this.length > MAX_EVENTS_LENGTH) this.dropOldest();
    return event;
  }

  /** Returns the events after the one with an ID; undefined if it is not known any more. */
  after(id: string): readonly StreamEvent[] | undefined {
    const [stream, number = ''] = id.split('.');
    const seq = Number.parseInt(number, 36);
    const kept = this.events.length - this.first;
    const oldest = this.count - kept;
    // The one before the oldest is not kept, but nothing is missing after it.
    if (stream !== this.stream || seq.toString(36) !== number || seq < Math.max(0, oldest - 1) || seq >= this.count)
      return undefined;
    return this.events.slice(this.first + (seq + 1 - oldest));
  }

  private dropOldest(): void {
    this.length -= this.events[this.first++]?.data.length ?? 0;
    if (this.first < MAX_EVENTS) return;
    this.events.splice(0, this.first);
    this.first = 0;
  }
}
