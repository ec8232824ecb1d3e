import { describe, expect, it } from 'vitest';
import { listDays, sumUsage } from './usage-days.js';

const at = (text: string) => Date.parse(text);
const days = (from?: string, to?: string) =>
  listDays(
    from === undefined ? undefined : String(at(from)),
    to === undefined ? undefined : String(at(to)),
    at('2026-11-27T15:00:00Z'),
    'utc',
  ).map((day) => [new Date(day.from).toISOString().slice(0, 16), new Date(day.to).toISOString().slice(0, 16)]);

describe('listDays', () => {
  it('has the last seven days, with the whole of today, without a choice', () => {
    const all = days();
    expect(all).toHaveLength(7);
    expect(all.at(0)).toEqual(['2026-11-21T00:00', '2026-11-22T00:00']);
    expect(all.at(-1)).toEqual(['2026-11-27T00:00', '2026-11-28T00:00']);
  });

  it('cuts the first and the last day at the chosen times', () => {
    expect(days('2026-11-25T12:00Z', '2026-11-26T06:00Z')).toEqual([
      ['2026-11-25T12:00', '2026-11-26T00:00'],
      ['2026-11-26T00:00', '2026-11-26T06:00'],
    ]);
  });

  it('has at most the last 31 days of a long time', () => {
    expect(days('2020-01-01T00:00Z')).toHaveLength(31);
  });
});

it('sumUsage adds each number', () => {
  const row = { answers: 1, input_tokens: 2, cached_input_tokens: 3, output_tokens: 4, cost: 0.5 };
  expect(sumUsage([row, row])).toEqual({
    answers: 2,
    input_tokens: 4,
    cached_input_tokens: 6,
    output_tokens: 8,
    cost: 1,
  });
});
