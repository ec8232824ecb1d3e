import { randomBytes } from 'node:crypto';
import type { LogLevel } from '../../protocol/domain.js';
import { LOG_LEVELS } from './logs.js';

const MAX_LINES = 10_000;
/** UTF-16 units of all lines that are kept. */
const MAX_LENGTH = 4_194_304;
/** UTF-16 units of a line that is kept whole. */
const MAX_LINE_LENGTH = 65_536;

/** The beginning of a line as the logs write it. */
const BEGINNING = /^\{"level":"(\w+)","time":"[^"]*","subsystem":"(\w+)"/;

/** A line of the logs, in which secrets are hidden. */
export interface LogLine {
  /** Counts the lines of this process, from 1. */
  readonly number: number;
  readonly level: LogLevel;
  readonly subsystem: string;
  /** One JSON object. */
  readonly text: string;
}

/** Selects lines. An absent filter matches all. */
export interface LogFilter {
  readonly subsystem?: string | undefined;
  /** The least level. */
  readonly level?: LogLevel | undefined;
  /** A text in the line, in any case. */
  readonly q?: string | undefined;
}

/** The newest lines of the logs, in memory: at most 10,000, and fewer if they are long. */
export class LogRing {
  /** The random name of this process's lines: numbers of another process are not its own. */
  readonly epoch = randomBytes(4).toString('hex');
  private readonly lines: (LogLine | undefined)[] = [];
  private readonly listeners = new Set<() => void>();
  private length = 0;
  private oldest = 1;
  private newest = 0;

  constructor(
    private readonly maxLines = MAX_LINES,
    private readonly maxLength = MAX_LENGTH,
  ) {}

  /** Adds a line as the logs write it. */
  add(written: string): void {
    const text = written.trimEnd();
    const [, level = 'error', subsystem = 'gateway'] = BEGINNING.exec(text) ?? [];
    if (this.newest - this.oldest + 1 === this.maxLines) this.dropOldest();
    const kept = text.length > MAX_LINE_LENGTH ? leaveOut(text) : text;
    this.newest++;
    this.lines[this.newest % this.maxLines] = { number: this.newest, level: level as LogLevel, subsystem, text: kept };
    this.length += kept.length;
    while (this.length > this.maxLength && this.oldest < this.newest) this.dropOldest();
    for (const listener of this.listeners) listener();
  }

  private dropOldest(): void {
    const place = this.oldest % this.maxLines;
    this.length -= this.lines[place]?.text.length ?? 0;
    this.lines[place] = undefined;
    this.oldest++;
  }

  /** The number of the newest line; 0 before the first. */
  get head(): number {
    return this.newest;
  }

  /** The number of the oldest line that is kept. */
  get start(): number {
    return this.oldest;
  }

  find(number: number): LogLine | undefined {
    const line = this.lines[number % this.maxLines];
    return line?.number === number ? line : undefined;
  }

  /** Lists the newest lines that match, newest first. @param before the number of the last line of the previous page */
  list(filter: LogFilter, limit: number, before = Number.POSITIVE_INFINITY): LogLine[] {
    const matches = createMatcher(filter);
    const found: LogLine[] = [];
    for (let n = Math.min(this.newest, before - 1); n >= this.oldest && found.length < limit; n--) {
      const line = this.find(n);
      if (line && matches(line)) found.push(line);
    }
    return found;
  }

  /** Calls `listener` after each line. Returns a function that unsubscribes it. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Returns a predicate for lines. */
export function createMatcher({ subsystem, level, q }: LogFilter): (line: LogLine) => boolean {
  const least = level === undefined ? 0 : LOG_LEVELS.indexOf(level);
  const text = q?.toLowerCase();
  return (line) =>
    (subsystem === undefined || line.subsystem === subsystem) &&
    LOG_LEVELS.indexOf(line.level) >= least &&
    (text === undefined || line.text.toLowerCase().includes(text));
}

/** Returns a short line in place of a long one. */
function leaveOut(text: string): string {
  const { level, time, subsystem, msg } = JSON.parse(text) as Record<string, unknown>;
  const beginning = typeof msg === 'string' ? msg.slice(0, 1_024) : '';
  return JSON.stringify({ level, time, subsystem, left_out_characters: text.length, msg: beginning });
}
