import type { Api, Page, Query } from '../api.js';
import { EventFeed } from '../event-feed.js';
import type { LogLine } from './log-tail.js';

/** Lines that are read before the tail begins. */
const FIRST_LINES = 200;

/** Least time between two deliveries of lines, in milliseconds. */
const DELIVERY_INTERVAL_MS = 250;

/** The callbacks of a source. */
export interface LogReader {
  /** Lines have come, oldest first. @param isGap true if lines before them are missing */
  take(lines: readonly LogLine[], isGap: boolean): void;
  /** The stream was opened, or lost. */
  changed(isOpen: boolean): void;
}

/** The lines of the gateway: the newest ones, then those to come, for as long as the page is shown. */
export class LogSource {
  #query: Query = {};
  #feed: EventFeed | undefined;
  #lastId: string | undefined;
  #reading: AbortController | undefined;
  #arrived: LogLine[] = [];
  #isGap = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: Api,
    private readonly reader: LogReader,
  ) {}

  /** Reads the newest lines with other filters, then follows. @throws ApiError */
  async begin(query: Query): Promise<void> {
    this.stop();
    this.#query = query;
    this.#lastId = undefined;
    const { signal } = (this.#reading = new AbortController());
    const { items } = await this.api.get<Page<LogLine>>('/logs', { ...query, limit: FIRST_LINES }, signal);
    this.#lastId = items[0]?.id;
    this.reader.take([...items].reverse(), false);
    this.follow();
  }

  /** Goes on after the last line that was read. */
  follow(): void {
    if (this.#feed || this.#reading === undefined) return;
    this.#feed = new EventFeed(
      (lastId, signal) =>
        this.api.open(
          '/logs',
          { ...this.#query, follow: true },
          lastId === undefined ? {} : { 'Last-Event-ID': lastId },
          signal,
        ),
      {
        take: ({ id, kind, data }) => {
          this.#lastId = id ?? this.#lastId;
          if (kind === 'reset') this.#isGap = true;
          else if (kind === 'message') this.#arrived.push(JSON.parse(data) as LogLine);
          this.#timer ??= setTimeout(() => this.#deliver(), DELIVERY_INTERVAL_MS);
        },
        changed: (isOpen) => this.reader.changed(isOpen),
        refused: () => this.reader.changed(false),
      },
    );
    this.#feed.start(this.#lastId);
  }

  /** Ends the stream; {@link follow} goes on where it was. */
  rest(): void {
    this.#feed?.stop();
    this.#feed = undefined;
    this.#deliver();
  }

  stop(): void {
    this.#reading?.abort();
    this.#reading = undefined;
    this.rest();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#arrived;
    const isGap = this.#isGap;
    [this.#arrived, this.#isGap] = [[], false];
    if (lines.length > 0) this.reader.take(lines, isGap);
  }
}
