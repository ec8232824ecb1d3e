import type { Cron } from 'croner';

/** The six fields of a cron expression: seconds, minutes, hours, days, months, weekdays. */
export type CronFields = readonly string[];

/** A checked expression. */
export interface CronExpression {
  /** As it is stored: without odd spaces, nicknames as they are. */
  readonly text: string;
  readonly fields: CronFields;
  /** Matches the first second of each day that matches, in UTC. */
  readonly days: Cron;
}

const MAX_LENGTH = 256;

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** Range of each field, for hints. */
const LAST = [59, 59, 23, 31, 12, 7];

/** Kinds of mistakes that have a better answer than the parser's. */
const MISTAKES: readonly (readonly [pattern: RegExp, message: string])[] = [
  [/^\d{4}-\d\d/, 'is a time, not a cron expression: use a schedule with `at`'],
  [/^@every\b/i, 'has no `@every`: use a schedule with `every_ms`'],
  [/^@reboot$/i, 'has no `@reboot`'],
  [/^(CRON_)?TZ=/i, 'has no zone in it: use `timezone`'],
  [/(^|\s)#/, 'must have no comment'],
  [
    /^(every|each|daily|weekly|monthly|hourly|weekdays?|on|at)\b/i,
    'takes no words: `0 8 * * 1-5` is 08:00 on Monday to Friday; the fields are minute hour day month weekday',
  ],
];

let loading: Promise<typeof Cron> | undefined;

/** Loads croner with the first job that needs it. */
function load(): Promise<typeof Cron> {
  return (loading ??= import('croner').then((croner) => croner.Cron));
}

/** A fault of an expression, in words that follow its name. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** Parses an expression. @throws ExpressionError */
export async function parseExpression(source: string): Promise<CronExpression> {
  const text = source.trim().replaceAll(/[ \t]+/g, ' ');
  if (source.length > MAX_LENGTH) throw new ExpressionError(`must have at most ${MAX_LENGTH} characters`);
  if (!/^[\u0020-\u007e]+$/.test(text)) throw new ExpressionError('must have letters, digits and signs of ASCII only');
  const mistake = MISTAKES.find(([pattern]) => pattern.test(text));
  if (mistake) throw new ExpressionError(mistake[1]);
  const fields = splitFields(text);
  const hint = fields.map((field, index) => findHint(field, index)).find((found) => found !== undefined);
  const croner = await load();
  try {
    const options = { timezone: 'UTC', mode: '5-or-6-parts', paused: true } as const;
    const whole = new croner(fields.join(' '), options);
    const days = new croner(['0', '0', '0', ...fields.slice(3)].join(' '), options);
    whole.stop();
    return { text, fields, days };
  } catch (error) {
    const reason = (error as Error).message.replace(/^CronPattern: /, '');
    throw new ExpressionError(`cannot be read: ${hint ?? reason}`);
  }
}

/** Returns whether a job has fixed times: no wildcard and no step in its seconds, minutes and hours. */
export function isFixedTime(fields: CronFields): boolean {
  return !fields.slice(0, 3).some((field) => /[*?/]/.test(field));
}

/** Returns the fields of an expression, also of a nickname. @throws ExpressionError */
export function splitFields(text: string): CronFields {
  const known = text.startsWith('@') ? NICKNAMES[text.toLowerCase()] : text;
  if (known === undefined)
    throw new ExpressionError(`has an unknown name: there are ${Object.keys(NICKNAMES).join(', ')}`);
  const fields = known.split(' ');
  if (fields.length < 5 || fields.length > 6)
    throw new ExpressionError(`must have 5 or 6 fields, not ${fields.length}: [second] minute hour day month weekday`);
  return fields.length === 5 ? ['0', ...fields] : fields;
}

/** Returns what to write in place of a common mistake. */
function findHint(field: string, index: number): string | undefined {
  const last = LAST[index] ?? 0;
  const step = /^(\d+)\/(\d+)$/.exec(field);
  if (step) return `write ${step[1]}-${last}/${step[2]} in place of ${field}`;
  const names = index === 5 ? WEEKDAYS : index === 4 ? MONTHS : [];
  const long = names.find((name) => field.length > name.length && /^[a-z]+$/i.test(field) && startsWith(field, name));
  if (long) return `write ${long} in place of ${field}`;
  const range = /^(\w+)-(\w+)$/.exec(field);
  const [from, to] = [range?.[1], range?.[2]].map((name) => toNumber(name, names));
  if (from === undefined || to === undefined || from <= to) return undefined;
  return `write ${wrapRange(from, to, index, names)} in place of ${field}`;
}

function startsWith(text: string, name: string): boolean {
  return text.toUpperCase().startsWith(name);
}

function toNumber(name: string | undefined, names: readonly string[]): number | undefined {
  if (name === undefined) return undefined;
  const place = names.indexOf(name.toUpperCase());
  if (place >= 0) return names === MONTHS ? place + 1 : place;
  return /^\d+$/.test(name) ? Number(name) : undefined;
}

/** Returns a range that passes the end of its field as a list: `22,23,0-2`, `FRI,SAT,SUN,MON`. */
function wrapRange(from: number, to: number, index: number, names: readonly string[]): string {
  const first = names === MONTHS || index === 3 ? 1 : 0;
  const last = index === 5 ? 6 : (LAST[index] ?? 0);
  if (names.length === 0 && last - from > 1) return `${from}-${last},${first}-${to}`;
  const values = [...count(from, last), ...(names.length > 0 ? count(first, to) : [])];
  const list = values.map((value) => (names.length > 0 ? names[value - first] : value)).join(',');
  return names.length > 0 ? list : `${list},${first}-${to}`;
}

function count(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
