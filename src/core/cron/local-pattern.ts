import type { Cron } from 'croner';
import { BoundedMap } from '../cache/bounded-map.js';
import { DAY_MS } from '../time/clock.js';

/** Local times are written as the instant in UTC that shows the same clock, in milliseconds. */
type LocalTime = number;

const SECONDS_OF_DAY = 86_400;

/** Answers of croner that a pattern keeps: each takes 60 us. */
const MAX_KEPT_DAYS = 256;

/** The sorted values of one field. */
class Field {
  constructor(private readonly values: readonly number[]) {}

  get size(): number {
    return this.values.length;
  }

  get first(): number {
    return this.values[0] ?? 0;
  }

  has(value: number): boolean {
    return this.values.includes(value);
  }

  /** Returns the smallest value that is at least `value`. */
  next(value: number): number | undefined {
    return this.values.find((one) => one >= value);
  }

  countBelow(value: number): number {
    return this.values.filter((one) => one < value).length;
  }
}

/**
 * The local times that a cron expression names, in a calendar without offsets. The times of a day are computed here; which
 * days match is decided by croner.
 */
export class LocalPattern {
  private readonly seconds: Field;
  private readonly minutes: Field;
  private readonly hours: Field;
  /** All days match. */
  private readonly isDaily: boolean;
  /** By day: the first day from it on that matches. */
  private readonly known = new BoundedMap<number, number>(MAX_KEPT_DAYS);

  /**
   * @param fields the six fields of an expression that croner accepts
   * @param days matches the first second of each day that matches, in UTC
   */
  constructor(
    fields: readonly string[],
    private readonly days: Cron,
  ) {
    const [seconds = '', minutes = '', hours = '', ...dates] = fields;
    this.seconds = new Field(expand(seconds, 59));
    this.minutes = new Field(expand(minutes, 59));
    this.hours = new Field(expand(hours, 23));
    this.isDaily = dates.every((field) => field === '*' || field === '?');
  }

  /** Returns the first time that is not before `from`; undefined if there is none. */
  next(from: LocalTime): LocalTime | undefined {
    const start = Math.ceil(from / 1_000) * 1_000;
    const first = Math.floor(start / DAY_MS);
    const day = this.nextDay(first);
    if (day === undefined) return undefined;
    const time = day === first ? this.nextOfDay((start - first * DAY_MS) / 1_000) : this.nextOfDay(0);
    if (time !== undefined) return day * DAY_MS + time * 1_000;
    return this.next((day + 1) * DAY_MS);
  }

  /** Counts the times of `[from, to)`. */
  count(from: LocalTime, to: LocalTime): number {
    if (from >= to) return 0;
    const [start, end] = [Math.ceil(from / 1_000), Math.ceil(to / 1_000)];
    const firstDay = Math.floor(start / SECONDS_OF_DAY);
    const lastDay = Math.floor(end / SECONDS_OF_DAY);
    const before = this.matches(firstDay) ? this.countBelow(start - firstDay * SECONDS_OF_DAY) : 0;
    const rest = this.matches(lastDay) ? this.countBelow(end - lastDay * SECONDS_OF_DAY) : 0;
    return this.countDays(firstDay, lastDay) * this.timesOfDay - before + rest;
  }

  private get timesOfDay(): number {
    return this.seconds.size * this.minutes.size * this.hours.size;
  }

  /** Counts the days of `[from, to)` that match. Takes 60 us for each, unless all do. */
  private countDays(from: number, to: number): number {
    if (this.isDaily) return to - from;
    let count = 0;
    for (let day = this.nextDay(from); day !== undefined && day < to; day = this.nextDay(day + 1)) count++;
    return count;
  }

  private matches(day: number): boolean {
    return this.nextDay(day) === day;
  }

  private nextDay(from: number): number | undefined {
    if (this.isDaily) return from;
    const known = this.known.get(from);
    if (known !== undefined) return known;
    // Croner looks for a time after the given one.
    const next = this.days.nextRun(new Date(from * DAY_MS - 1_000));
    if (!next) return undefined;
    const day = Math.floor(next.getTime() / DAY_MS);
    this.known.set(from, day);
    return day;
  }

  /** Returns the first time of a day, in seconds, that is not before `second`. */
  private nextOfDay(second: number): number | undefined {
    const [hour, minute, rest] = split(second);
    const sameMinute = this.hours.has(hour) && this.minutes.has(minute) ? this.seconds.next(rest) : undefined;
    if (sameMinute !== undefined) return join(hour, minute, sameMinute);
    const sameHour = this.hours.has(hour) ? this.minutes.next(minute + 1) : undefined;
    if (sameHour !== undefined) return join(hour, sameHour, this.seconds.first);
    const later = this.hours.next(hour + 1);
    return later === undefined ? undefined : join(later, this.minutes.first, this.seconds.first);
  }

  /** Counts the times of a day before `second`. */
  private countBelow(second: number): number {
    const [hour, minute, rest] = split(second);
    const { hours, minutes, seconds } = this;
    const inMinute = minutes.has(minute) ? seconds.countBelow(rest) : 0;
    const inHour = hours.has(hour) ? minutes.countBelow(minute) * seconds.size + inMinute : 0;
    return hours.countBelow(hour) * minutes.size * seconds.size + inHour;
  }
}

function split(second: number): readonly [hour: number, minute: number, second: number] {
  return [Math.floor(second / 3_600), Math.floor(second / 60) % 60, second % 60];
}

function join(hour: number, minute: number, second: number): number {
  return hour * 3_600 + minute * 60 + second;
}

/** Returns the values of a field of numbers, sorted: `*`, `?`, `a`, `a-b`, a step after `/`, and lists of these. */
function expand(field: string, max: number): readonly number[] {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [from = '0', to = from] = range === '*' || range === '?' ? ['0', String(max)] : range.split('-');
    for (let value = Number(from); value <= Number(to); value += Number(step)) values.add(value);
  }
  return [...values].toSorted((one, other) => one - other);
}
