import { BoundedMap } from '../cache/bounded-map.js';
import { isFixedTime, parseExpression } from './cron-expression.js';
import { CronTimes } from './cron-times.js';
import { LocalPattern } from './local-pattern.js';
import { AtTime, EveryTimes, NoTimes, type DueTimes, type Schedule } from './schedule.js';
import { Zone } from './zone.js';

/** Expressions that are kept, with their zones. */
const MAX_KEPT = 4_096;

const kept = new BoundedMap<string, DueTimes>(MAX_KEPT);

/** Returns the due times of a schedule. @throws ExpressionError, RangeError for an unknown zone */
export async function compileSchedule(schedule: Schedule): Promise<DueTimes> {
  switch (schedule.kind) {
    case 'cron':
      return compileCron(schedule.expression, schedule.timezone);
    case 'every':
      return new EveryTimes(schedule.everyMs, schedule.anchor);
    case 'at':
      return new AtTime(schedule.at);
    case 'event':
      return new NoTimes();
  }
}

async function compileCron(text: string, timezone: string): Promise<DueTimes> {
  const key = `${timezone} ${text}`;
  const known = kept.get(key);
  if (known) return known;
  const { fields, days } = await parseExpression(text);
  const times = new CronTimes(new LocalPattern(fields, days), Zone.get(timezone), isFixedTime(fields));
  kept.set(key, times);
  return times;
}
