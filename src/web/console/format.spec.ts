import { describe, expect, it } from 'vitest';
import {
  formatAge,
  formatClock,
  formatCount,
  formatDuration,
  formatExact,
  formatRelative,
  formatTokens,
  shortenId,
} from './format.js';

describe('the values of the console', () => {
  it('durations have their two largest units', () => {
    const durations = [0, 42, 200, 9_400, 40_000, 372_000, 360_000, 11_100_000, 187_200_000, undefined];
    expect(durations.map(formatDuration)).toEqual([
      '0 ms',
      '42 ms',
      '0.2 s',
      '9.4 s',
      '40 s',
      '6 min 12 s',
      '6 min',
      '3 h 5 min',
      '2 d 4 h',
      '—',
    ]);
  });

  it('ages have their largest unit, and times that come are in the future', () => {
    expect([-5, 4_000, 720_000, 10_800_000, 86_400_000, 172_800_000].map(formatAge)).toEqual([
      '0 s',
      '4 s',
      '12 min',
      '3 h',
      '24 h',
      '2 d',
    ]);
    expect(formatRelative(1_000, 721_000)).toBe('12 min ago');
    expect(formatRelative(181_000, 1_000)).toBe('in 3 min');
  });

  it('counts are grouped, tokens are short, and nothing is a dash', () => {
    expect([0, 1_204, undefined].map(formatCount)).toEqual(['0', '1,204', '—']);
    expect([310, 1_200, 18_204, 999_960, undefined].map(formatTokens)).toEqual(['310', '1.2k', '18.2k', '1M', '—']);
  });

  it('times name their zone', () => {
    expect(formatExact(1_795_766_400_000, 'utc')).toBe('27 Nov 2026, 08:00:00 UTC');
    expect(formatClock(1_795_766_400_000, 'utc')).toBe('08:00:00');
  });

  it('ids are cut in their middle', () => {
    expect(shortenId('s_5b1f0c9a7d2e4f61')).toBe('s_5b1f…f61');
    expect(shortenId('m_12')).toBe('m_12');
  });
});
