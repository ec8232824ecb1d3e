import { describe, expect, it } from 'vitest';
import { LogTail, MAX_LINES, type LogLine } from './log-tail.js';

const line = (id: number): LogLine => ({
  id: `e-${id}`,
  ...{ replica: 'r', at: id, level: 'info', subsystem: 'gateway', message: 'a line', fields: {} },
});
const ids = ({ shown }: LogTail) => shown.map(({ at }) => at);

describe('LogTail', () => {
  it('keeps what is shown while it is paused, counts what comes, and shows it afterwards', () => {
    const tail = new LogTail();
    tail.add([line(1)]);
    tail.pause();
    tail.add([line(2), line(3)]);
    expect([ids(tail), tail.waiting]).toEqual([[1], 2]);
    tail.resume();
    expect([ids(tail), tail.waiting, tail.isPaused]).toEqual([[1, 2, 3], 0, false]);
  });

  it('holds no more than the newest lines, paused or not, and still counts all', () => {
    const tail = new LogTail();
    const many = Array.from({ length: MAX_LINES + 5 }, (_, index) => line(index));
    tail.add(many);
    expect([tail.shown.length, ids(tail)[0]]).toEqual([MAX_LINES, 5]);
    tail.pause();
    tail.add(many);
    tail.add(many);
    expect(tail.waiting).toBe(2 * many.length);
    tail.resume();
    expect(tail.shown).toHaveLength(MAX_LINES);
  });

  it('forgets its lines and its pause for other filters', () => {
    const tail = new LogTail();
    tail.add([line(1)]);
    tail.pause();
    tail.add([line(2)]);
    tail.clear();
    expect([tail.shown, tail.waiting, tail.isPaused]).toEqual([[], 0, false]);
  });
});
