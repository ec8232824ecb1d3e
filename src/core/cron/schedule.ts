/** When a job is due. */
export type Schedule =
  /** A cron expression with 5 or 6 fields, and the name of the zone in which it is read. */
  | { readonly kind: 'cron'; readonly expression: string; readonly timezone: string }
  /** Each multiple of `everyMs` after `anchor`. Both in milliseconds. */
  | { readonly kind: 'every'; readonly everyMs: number; readonly anchor: number; readonly timezone: string }
  /** Once. Unix milliseconds. The zone is for people. */
  | { readonly kind: 'at'; readonly at: number; readonly timezone: string }
  /** Whenever a device node reports an event; any node if none is named. */
  | {
      readonly kind: 'event';
      readonly event: string;
      readonly nodeId?: string | undefined;
      readonly timezone: string;
    };

/** The due times of a schedule. Times are Unix milliseconds; ranges are `(after, upTo]`. */
export interface DueTimes {
  /** Returns the first due time after a time; undefined if there is none. */
  next(after: number): number | undefined;

  /** Counts the due times of a range. */
  count(after: number, upTo: number): number;

  /**
   * Returns the name of a due time in the ID of its firing. It is the same in processes whose zone data give another instant
   * for the same local time.
   */
  nameOf(due: number): string;
}

/** Due times at equal distances. */
export class EveryTimes implements DueTimes {
  constructor(
    private readonly everyMs: number,
    private readonly anchor: number,
  ) {}

  next(after: number): number {
    return this.anchor + (this.indexOf(after) + 1) * this.everyMs;
  }

  count(after: number, upTo: number): number {
    return Math.max(0, this.indexOf(upTo) - this.indexOf(after));
  }

  nameOf(due: number): string {
    return String(due);
  }

  /** Returns the number of the last due time that is not after a time; the anchor has 0 and is the first one. */
  private indexOf(time: number): number {
    return Math.max(-1, Math.floor((time - this.anchor) / this.everyMs));
  }
}

export class AtTime implements DueTimes {
  constructor(private readonly at: number) {}

  next(after: number): number | undefined {
    return this.at > after ? this.at : undefined;
  }

  count(after: number, upTo: number): number {
    return this.at > after && this.at <= upTo ? 1 : 0;
  }

  nameOf(due: number): string {
    return String(due);
  }
}

/** No due time: events start the job. */
export class NoTimes implements DueTimes {
  next(): undefined {}

  count(): number {
    return 0;
  }

  nameOf(due: number): string {
    return String(due);
  }
}
