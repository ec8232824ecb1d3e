import { randomBytes } from 'node:crypto';

/** Number of events that are kept for readers that come back, and their length in characters. */
export const MAX_EVENTS = 10_000;
export const MAX_EVENTS_LENGTH = 4_194_304;

/** The kinds of events, each named after the list whose rows it has. */
const EVENT_KINDS = [
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

  /** The number of the next event; the first one has 0. */
  get end(): number {
    return this.count;
  }

  /** The number of the oldest event that is kept. */
  get start(): number {
    return this.count - (this.events.length - this.first);
  }

  /** Returns an event by its number; undefined if it is not kept, or yet to come. */
  find(number: number): StreamEvent | undefined {
    return number < this.start ? undefined : this.events[this.first + number - this.start];
  }

  /** Returns the number of an event by its ID; undefined if it is of another stream, malformed, or yet to come. */
  numberOf(id: string): number | undefined {
    const [stream, digits = ''] = id.split('.');
    const number = Number.parseInt(digits, 36);
    const isKnown = stream === this.stream && number.toString(36) === digits && number >= 0 && number < this.count;
    return isKnown ? number : undefined;
  }

  private dropOldest(): void {
    this.length -= this.events[this.first++]?.data.length ?? 0;
    if (this.first < MAX_EVENTS) return;
    this.events.splice(0, this.first);
    this.first = 0;
  }
}
