/** A line of the logs, as the gateway sends it. */
export interface LogLine {
  readonly id: string;
  readonly replica: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly level: string;
  readonly subsystem: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Lines that are kept; older ones are dropped, so that a tail of hours needs no more memory than one of minutes. */
export const MAX_LINES = 1_000;

/** The newest lines of the logs, oldest first. While it is paused what is shown stays, and new lines wait. */
export class LogTail {
  #shown: readonly LogLine[] = [];
  #waiting: LogLine[] = [];
  #waitingCount = 0;
  #isPaused = false;

  get shown(): readonly LogLine[] {
    return this.#shown;
  }

  /** Number of lines that came while it was paused. */
  get waiting(): number {
    return this.#waitingCount;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Adds lines, oldest first. */
  add(lines: readonly LogLine[]): void {
    if (this.#isPaused) {
      this.#waiting = [...this.#waiting, ...lines].slice(-MAX_LINES);
      this.#waitingCount += lines.length;
    } else this.#shown = [...this.#shown, ...lines].slice(-MAX_LINES);
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** Shows what has waited. */
  resume(): void {
    this.#isPaused = false;
    const waiting = this.#waiting;
    [this.#waiting, this.#waitingCount] = [[], 0];
    this.add(waiting);
  }

  /** Forgets all lines, for other filters. */
  clear(): void {
    [this.#shown, this.#waiting, this.#waitingCount] = [[], [], 0];
    this.#isPaused = false;
  }
}
