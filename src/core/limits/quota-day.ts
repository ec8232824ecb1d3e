import { DAY_MS } from '../time/clock.js';

/** A day, in Unix milliseconds. */
export interface QuotaDay {
  readonly from: number;
  /** When the next day begins. */
  readonly to: number;
}

/** Returns the day of a time zone that contains a moment. @throws RangeError for an unknown time zone */
export function findDay(now: number, timeZone: string): QuotaDay {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  const from = findStart(now, format);
  // Days have 23 to 25 hours.
  return { from, to: findStart(from + 1.5 * DAY_MS, format) };
}

/** Returns the first moment of the day that contains a moment. */
function findStart(at: number, format: Intl.DateTimeFormat): number {
  const clock = readClock(at, format);
  const midnight = Math.floor(clock / DAY_MS) * DAY_MS;
  const start = at - (clock - midnight);
  // The clocks may have been changed since; where that was at midnight, the day begins with the hour that follows.
  return start + midnight - readClock(start, format);
}

/** Returns what the clocks of a time zone show, as if it were UTC, in Unix milliseconds. */
function readClock(at: number, format: Intl.DateTimeFormat): number {
  const parts = format.formatToParts(at).map(({ type, value }) => [type, Number(value)]);
  const { year, month, day, hour, minute, second } = Object.fromEntries(parts) as Record<string, number>;
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second) + (((at % 1_000) + 1_000) % 1_000);
}
