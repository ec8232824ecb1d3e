const MINUTE_MS = 60_000;

/**
 * The due times of a cron expression of five fields, counted minute by minute, in `(from, to]`: the model that tests compare
 * with. It shares no code with the scheduler: fields are matched here, local times come from Intl. Names of days and months,
 * L, W, # and + are not known.
 */
export function countMinutes(expression: string, timezone: string, from: number, to: number): readonly number[] {
  const matches = readFields(expression);
  const isFixed = !/[*?/]/.test(expression.split(' ').slice(0, 2).join(' '));
  const format = makeFormat(timezone);
  const found = new Set<number>();
  const seen = new Set<number>();
  // A day more, since a time that is repeated may have come before.
  const start = Math.floor(from / MINUTE_MS) * MINUTE_MS - 1_440 * MINUTE_MS;
  let before = format(start - MINUTE_MS);
  for (let time = start; time <= to; time += MINUTE_MS) {
    const local = format(time);
    if (isFixed) {
      for (let skipped = before + MINUTE_MS; skipped < local; skipped += MINUTE_MS)
        if (matches(new Date(skipped))) found.add(time);
      if (matches(new Date(local)) && !seen.has(local)) found.add(time);
    } else if (matches(new Date(local))) found.add(time);
    seen.add(local);
    before = local;
  }
  return [...found].filter((time) => time > from && time <= to);
}

/** Returns a function from an instant to the instant in UTC that shows the same clock. */
function makeFormat(timeZone: string): (time: number) => number {
  const parts = ['year', 'month', 'day', 'hour', 'minute'] as const;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    ...Object.fromEntries(parts.map((part) => [part, 'numeric'])),
  });
  return (time) => {
    const values = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    const [year = 0, month = 1, day, hour, minute] = parts.map((part) => values[part]);
    return Date.UTC(year, month - 1, day, hour, minute);
  };
}

function readFields(expression: string): (local: Date) => boolean {
  const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = expression.split(' ');
  return (local) => {
    const isDay = matchesField(days, local.getUTCDate(), 1, 31);
    const weekday = local.getUTCDay();
    const isWeekday = matchesField(weekdays, weekday, 0, 7) || (weekday === 0 && matchesField(weekdays, 7, 0, 7));
    const isDate = days === '*' ? isWeekday : weekdays === '*' ? isDay : isDay || isWeekday;
    return (
      isDate &&
      matchesField(minutes, local.getUTCMinutes(), 0, 59) &&
      matchesField(hours, local.getUTCHours(), 0, 23) &&
      matchesField(months, local.getUTCMonth() + 1, 1, 12)
    );
  };
}

function matchesField(field: string, value: number, min: number, max: number): boolean {
  return field.split(',').some((part) => {
    const [range = '', step = '1'] = part.split('/');
    const [from = min, to = from] = range === '*' ? [min, max] : range.split('-').map(Number);
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });
}
