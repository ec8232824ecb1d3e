import { describe, expect, it } from 'vitest';
import { describeSchedule } from './words.js';

describe('a schedule in words', () => {
  it.each([
    ['0 8 * * 1-5', 'at 08:00 on Monday to Friday'],
    ['0 9 13 * FRI', 'at 09:00 on day 13 OR on each Friday'],
    ['0 9 13 * +FRI', 'at 09:00 on day 13 that is also a Friday'],
    ['0 9 1 * +MON,FRI', 'at 09:00 on day 1 that is also a Monday or a Friday'],
    ['0 9 * * 0,7', 'at 09:00 on each Sunday'],
    ['30 0 9 * * 0,7', 'at 09:00:30 on each Sunday'],
    ['0,30 15 9,17 * * *', 'at 09:15:00, 09:15:30, 17:15:00 and 17:15:30'],
    ['*/45 * * * *', 'minute 0 and 45 of each hour'],
    ['*/45 8 * * *', 'minute 0 and 45 of hour 8'],
    ['0-30/7 * * * *', 'minute 0-30/7 of each hour'],
    ['0 9 L 2 *', 'at 09:00 on the last day of the month in February'],
    ['@weekly', 'at 00:00 on each Sunday'],
    ['@hourly', 'minute 0 of each hour'],
    ['5,35 * * * *', 'minute 5 and 35 of each hour'],
    ['*/15 * * * *', 'every 15 minutes'],
    ['* * * * *', 'each minute'],
    ['*/10 * * * * *', 'every 10 seconds of each minute'],
  ])('%s is %s', (expression, words) => {
    expect(describeSchedule({ kind: 'cron', expression, timezone: 'UTC' })).toBe(words);
  });
});
