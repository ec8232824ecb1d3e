import { splitFields } from './cron-expression.js';
import { describeLength } from './firing-text.js';
import type { Schedule } from './schedule.js';
import { formatTime } from './timezone.js';

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const SHORT_WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];
const MONTHS = [
  ...['', 'January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
const SHORT_MONTHS = MONTHS.map((month) => month.slice(0, 3).toUpperCase());

/** Times of day that are listed one by one. */
const MAX_TIMES = 24;

/** Describes a schedule in words, so that a person sees what it means: `at 09:00 on day 13 OR on each Friday`. */
export function describeSchedule(schedule: Schedule): string {
  const { timezone } = schedule;
  switch (schedule.kind) {
    case 'every':
      return `every ${describeLength(schedule.everyMs).replace(/^1 /, '')}`;
    case 'at':
      return `once, ${formatTime(schedule.at, timezone)}`;
    case 'event':
      return `on ${schedule.event}${schedule.nodeId === undefined ? '' : ` of ${schedule.nodeId}`}`;
    case 'cron':
      return describeExpression(schedule.expression);
  }
}

function describeExpression(text: string): string {
  const fields = splitFields(text);
  const [, , , days = '*', months = '*', weekdays = '*'] = fields;
  const inMonths = isAny(months) ? '' : ` in ${list(months, nameOf(MONTHS, SHORT_MONTHS))}`;
  return `${describeTime(fields)}${describeDays(days, weekdays)}${inMonths}`;
}

function describeTime(fields: readonly string[]): string {
  const [seconds = '0', minutes = '*', hours = '*'] = fields;
  const times = listTimes([hours, minutes, ...(seconds === '0' ? [] : [seconds])]);
  if (times) return `at ${join(times)}`;
  const parts = [
    ...(seconds === '0' ? [] : [unitOf(seconds, 'second')]),
    unitOf(minutes, 'minute'),
    ...(isAny(hours) && isEven(minutes, 'minute') ? [] : [unitOf(hours, 'hour')]),
  ];
  return parts.join(' of ');
}

/** Returns the times of day of fields without ranges and steps, such as `09:00`; undefined for others, and for many. */
function listTimes(fields: readonly string[]): readonly string[] | undefined {
  if (!fields.every((field) => /^[\d,]+$/.test(field))) return undefined;
  const lists = fields.map((field) => field.split(',').map(pad));
  if (lists.reduce((count, { length }) => count * length, 1) > MAX_TIMES) return undefined;
  return lists.reduce((times, parts) => times.flatMap((time) => parts.map((part) => `${time}:${part}`)));
}

function describeDays(days: string, weekdays: string): string {
  const each = (part: string) => describeWeekday(part, 'each');
  const ofWeek = `on ${list(weekdays.replace('+', ''), each)}`;
  const ofMonth = `on ${list(days, describeDay)}`;
  if (isAny(days)) return isAny(weekdays) ? '' : ` ${ofWeek}`;
  if (isAny(weekdays)) return ` ${ofMonth}`;
  if (!weekdays.startsWith('+')) return ` ${ofMonth} OR ${ofWeek}`;
  return ` ${ofMonth} that is also ${list(weekdays.slice(1), (part) => describeWeekday(part, 'a'), 'or')}`;
}

function describeDay(part: string): string {
  const step = /^\*\/(\d+)$/.exec(part);
  if (step) return step[1] === '2' ? 'each odd day' : `each day in steps of ${step[1]} from day 1`;
  if (part === 'L') return 'the last day of the month';
  if (part === 'LW') return 'the last working day of the month';
  if (part.endsWith('W')) return `the working day nearest to day ${part.slice(0, -1)}`;
  return part.includes('-') ? `days ${part}` : `day ${part}`;
}

function describeWeekday(part: string, article: 'each' | 'a'): string {
  const name = nameOf(WEEKDAYS, SHORT_WEEKDAYS);
  const [day = '', place] = part.split('#');
  if (place !== undefined) return place === 'L' ? `the last ${name(day)}` : `${name(day)} number ${place} of the month`;
  const range = part.split('-');
  return range.length === 2 ? range.map(name).join(' to ') : `${article} ${name(part)}`;
}

/** Returns a function from a number or a short name to the long name. */
function nameOf(long: readonly string[], short: readonly string[]): (part: string) => string {
  return (part) => long[/^\d+$/.test(part) ? Number(part) : short.indexOf(part.toUpperCase())] ?? part;
}

function unitOf(field: string, unit: string): string {
  if (isAny(field)) return `each ${unit}`;
  const step = /^\*\/(\d+)$/.exec(field);
  if (!step) return `${unit} ${list(field, (part) => part)}`;
  if (isEven(field, unit)) return `every ${step[1]} ${unit}s`;
  const values = Array.from({ length: Math.ceil(sizeOf(unit) / Number(step[1])) }, (_, index) =>
    String(index * Number(step[1])),
  );
  return `${unit} ${join(values)}`;
}

/** Returns whether a field matches at equal distances, also across the end of its unit. */
function isEven(field: string, unit: string): boolean {
  const step = /^\*\/(\d+)$/.exec(field);
  return isAny(field) || (step !== null && sizeOf(unit) % Number(step[1]) === 0);
}

const sizeOf = (unit: string) => (unit === 'hour' ? 24 : 60);

/** A value that is named twice, such as Sunday as 0 and as 7, is listed once. */
function list(field: string, describe: (part: string) => string, last: 'and' | 'or' = 'and'): string {
  return join([...new Set(field.split(',').map(describe))], last);
}

function join(parts: readonly string[], last: 'and' | 'or' = 'and'): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} ${last} ${parts.at(-1)}`;
}

const isAny = (field: string) => field === '*' || field === '?';
const pad = (value: string) => value.padStart(2, '0');
