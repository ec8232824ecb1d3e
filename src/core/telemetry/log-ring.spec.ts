import { describe, expect, it } from 'vitest';
import { LogRing } from './log-ring.js';

const lineOf = (msg: string, level = 'info', subsystem = 'gateway') =>
  `${JSON.stringify({ level, time: '2026-11-27T12:00:00.000Z', subsystem, msg })}\n`;
const messages = (ring: LogRing, ...selection: Parameters<LogRing['list']>) =>
  ring.list(...selection).map(({ text }) => (JSON.parse(text) as { msg: string }).msg);

describe('LogRing', () => {
  it('[I-60] keeps the newest lines, as many as it may', () => {
    const ring = new LogRing(3);
    for (let n = 1; n <= 5; n++) ring.add(lineOf(`l${n}`));
    expect(messages(ring, {}, 9)).toEqual(['l5', 'l4', 'l3']);
    expect([ring.start, ring.head, ring.find(2), ring.find(3)?.number]).toEqual([3, 5, undefined, 3]);
  });

  it('[I-60] keeps fewer lines if they are long, and leaves out most of a huge one', () => {
    const ring = new LogRing(1_000, 200_000);
    for (let n = 1; n <= 100; n++) ring.add(lineOf(`${n} ${'x'.repeat(5_000)}`));
    expect(ring.list({}, 1_000).length).toBeLessThan(40);
    expect(ring.list({}, 1_000).length).toBeGreaterThan(35);
    ring.add(lineOf(`huge ${'x'.repeat(1_000_000)}`));
    const [huge] = ring.list({}, 1);
    expect(huge?.text.length).toBeLessThan(2_000);
    expect(huge?.text).toContain('"left_out_characters":1000');
  });

  it('lists pages of what matches, newest first', () => {
    const ring = new LogRing();
    ring.add(lineOf('a', 'debug'));
    ring.add(lineOf('b', 'warn', 'queue'));
    ring.add(lineOf('C', 'error'));
    ring.add(lineOf('d'));
    expect(messages(ring, { level: 'warn' }, 9)).toEqual(['C', 'b']);
    expect(messages(ring, { subsystem: 'queue' }, 9)).toEqual(['b']);
    expect(messages(ring, { q: '"c"' }, 9)).toEqual(['C']);
    expect(messages(ring, {}, 2)).toEqual(['d', 'C']);
    expect(messages(ring, {}, 2, 3)).toEqual(['b', 'a']);
  });

  it('takes the time of ten thousand lines at most', () => {
    const ring = new LogRing();
    for (let n = 1; n <= 30_000; n++) ring.add(lineOf(`l${n}`));
    expect(ring.list({}, 20_000)).toHaveLength(10_000);
  });
});
