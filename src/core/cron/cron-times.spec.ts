import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSchedule } from './compile-schedule.js';
import { countMinutes } from '../../testing/minute-model.js';
import type { DueTimes } from './schedule.js';

const RUNS = process.env['LONG'] ? 5_000 : 40;
/** On a machine that does other work, a case takes 100 ms. */
const TIMEOUT_MS = 60_000 + RUNS * 300;

interface Case {
  readonly schedule: { readonly cron: string; readonly timezone: string };
  readonly now: string;
  readonly next: readonly string[];
}

function readCases(name: string): readonly Case[] {
  const url = new URL(`../../../test/inputs/cron/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] }).cases;
}

function cron(expression: string, timezone: string): Promise<DueTimes> {
  return compileSchedule({ kind: 'cron', expression, timezone });
}

function list(times: DueTimes, after: number, count: number): string[] {
  const found: string[] = [];
  let time: number | undefined = after;
  while (found.length < count && (time = times.next(time)) !== undefined) found.push(format(time));
  return found;
}

const format = (time: number) => new Date(time).toISOString().replace('.000Z', 'Z');

describe('due times of a cron expression', () => {
  it.each(
    ['dst', 'gap-over-midnight', 'dom-dow'].flatMap((file) => readCases(file).map((one) => [file, one] as const)),
  )('[J-02] are as counted by hand: %s %j', async (_, { schedule, now, next }) => {
    const times = await cron(schedule.cron, schedule.timezone);
    expect(list(times, Date.parse(now), next.length)).toEqual(next);
  });

  it('[J-02] follow the zone data: the same local time has another instant after an update of them', async () => {
    const times = await cron('0 9 * * *', 'America/Vancouver');
    const due = times.next(Date.parse('2026-11-27T00:00:00Z')) ?? 0;
    // 17:00Z by the data of 2025c, 16:00Z by those of 2026c.
    expect(['2026-11-27T16:00:00Z', '2026-11-27T17:00:00Z']).toContain(format(due));
    expect(times.nameOf(due)).toBe('2026-11-27T09:00:00');
  });

  it('[J-01] have names that differ in the two passes of a repeated hour', async () => {
    const times = await cron('*/30 * * * *', 'Europe/Berlin');
    const names = [];
    for (let due = times.next(Date.parse('2027-10-30T23:59:00Z')); due && names.length < 6; due = times.next(due))
      names.push(times.nameOf(due).slice(11));
    expect(names).toEqual(['02:00:00', '02:30:00', '02:00:00b', '02:30:00b', '03:00:00', '03:30:00']);
  });

  const property =
    '[J-02] are those that a model counts minute by minute, in zones of all kinds, around changes of clocks';
  it(property, { timeout: TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(anExpression, aWindow, async (expression, { timezone, from, to }) => {
        const times = await cron(expression, timezone);
        const wanted = countMinutes(expression, timezone, from, to);
        expect({ expression, timezone, from: format(from), times: listUpTo(times, from, to) }).toEqual({
          expression,
          timezone,
          from: format(from),
          times: wanted.map(format),
        });
        expect(times.count(from, to)).toBe(wanted.length);
        const middle = Math.floor((from + to) / 2) + 1;
        expect(times.count(from, middle) + times.count(middle, to)).toBe(wanted.length);
        expect(new Set(wanted.map((time) => times.nameOf(time))).size).toBe(wanted.length);
      }),
      { numRuns: RUNS },
    );
  });

  it('count a week of seconds, and the daily times of fifty years, without walking through them', async () => {
    const seconds = await cron('* * * * * *', 'Europe/Paris');
    const start = Date.parse('2026-11-19T00:00:00Z');
    expect(seconds.count(start, start + 7 * 86_400_000)).toBe(604_800);
    const daily = await cron('0 8 * * *', 'Europe/Paris');
    expect(daily.count(Date.parse('1970-01-01T00:00:00Z'), Date.parse('2026-01-01T00:00:00Z'))).toBe(20_454);
  });
});

function listUpTo(times: DueTimes, from: number, to: number): string[] {
  const found: string[] = [];
  for (let due = times.next(from); due !== undefined && due <= to; due = times.next(due)) found.push(format(due));
  return found;
}

const aMinute = fc.integer({ min: 0, max: 59 });
const anHour = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.integer({ min: 22, max: 23 }),
  fc.integer({ min: 0, max: 23 }),
);
const aList = (value: fc.Arbitrary<number>) =>
  fc.uniqueArray(value, { minLength: 1, maxLength: 3 }).map((values) => values.join(','));
const aField = (value: fc.Arbitrary<number>, max: number) =>
  fc.oneof(
    aList(value),
    fc.tuple(value, value).map((pair) => `${Math.min(...pair)}-${Math.max(...pair)}`),
    fc.constant('*'),
    fc.integer({ min: 2, max }).map((step) => `*/${step}`),
  );
const anExpression = fc
  .tuple(
    aField(aMinute, 40),
    aField(anHour, 12),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('*') },
      { weight: 1, arbitrary: fc.constantFrom('1', '28-31', '*/2', '29') },
    ),
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('*') },
      { weight: 1, arbitrary: fc.constantFrom('2', '3', '10-11', '12,1') },
    ),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('*') },
      { weight: 1, arbitrary: fc.constantFrom('0', '7', '1-5', '6') },
    ),
  )
  .map((fields) => fields.join(' '));

/** Days with a change of clocks, a leap day, or the end of a year. */
const aWindow = fc
  .constantFrom(
    ['Europe/Berlin', '2027-03-28'],
    ['Europe/Berlin', '2027-10-31'],
    ['America/New_York', '2027-03-14'],
    ['America/New_York', '2026-11-01'],
    ['Australia/Lord_Howe', '2027-04-04'],
    ['Australia/Lord_Howe', '2026-10-04'],
    ['America/Nuuk', '2027-03-27'],
    ['America/Nuuk', '2027-10-30'],
    ['America/Scoresbysund', '2027-03-28'],
    ['America/Havana', '2027-03-14'],
    ['Africa/Cairo', '2027-04-30'],
    ['Asia/Beirut', '2027-03-28'],
    ['America/Santiago', '2026-09-06'],
    ['Antarctica/Troll', '2027-03-28'],
    ['Antarctica/Troll', '2027-10-31'],
    ['Pacific/Chatham', '2027-04-04'],
    ['Africa/Casablanca', '2027-03-07'],
    ['Pacific/Apia', '2011-12-30'],
    ['Asia/Kathmandu', '2028-02-29'],
    ['UTC', '2028-02-29'],
    ['America/St_Johns', '2026-12-31'],
    ['Pacific/Kiritimati', '2026-12-31'],
  )
  .chain(([timezone = 'UTC', day = '']) =>
    fc.integer({ min: -36 * 60, max: 12 * 60 }).map((minutes) => {
      const from = Date.parse(`${day}T00:00:00Z`) + minutes * 60_000;
      return { timezone, from, to: from + 60 * 3_600_000 };
    }),
  );
