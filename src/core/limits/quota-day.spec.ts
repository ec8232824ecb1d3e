import { describe, expect, it } from 'vitest';
import { findDay } from './quota-day.js';

const show = (now: string, timezone: string) => {
  const { from, to } = findDay(Date.parse(now), timezone);
  return [from, to].map((at) => new Date(at).toISOString());
};

describe('a day of quotas', () => {
  it.each([
    ['2026-11-27T16:20:00.500Z', 'UTC', '2026-11-27T00:00:00.000Z', '2026-11-28T00:00:00.000Z'],
    ['2026-11-27T00:00:00.000Z', 'UTC', '2026-11-27T00:00:00.000Z', '2026-11-28T00:00:00.000Z'],
    ['2026-11-27T22:00:00.000Z', 'Asia/Kathmandu', '2026-11-27T18:15:00.000Z', '2026-11-28T18:15:00.000Z'],
    ['2026-11-27T03:00:00.000Z', 'America/Los_Angeles', '2026-11-26T08:00:00.000Z', '2026-11-27T08:00:00.000Z'],
  ])('of %s in %s goes from %s to %s', (now, timezone, from, to) => {
    expect(show(now, timezone)).toEqual([from, to]);
  });

  it('has 23 or 25 hours when clocks change', () => {
    expect(show('2026-03-29T12:00:00Z', 'Europe/Oslo')).toEqual([
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ]);
    expect(show('2026-10-25T12:00:00Z', 'Europe/Oslo')).toEqual([
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ]);
  });

  it('begins with the first hour that exists where clocks change at midnight', () => {
    expect(show('2026-09-06T15:00:00Z', 'America/Santiago')).toEqual([
      '2026-09-06T04:00:00.000Z',
      '2026-09-07T03:00:00.000Z',
    ]);
  });

  it('is refused for a time zone that does not exist', () => {
    expect(() => findDay(0, 'Europe/Nowhere')).toThrow(RangeError);
  });
});
