import { describe, expect, it } from 'vitest';
import { EventLog, MAX_EVENTS, MAX_EVENTS_LENGTH } from './event-log.js';

describe('the log of events', () => {
  it('[AD-22] has the events after one, and nothing after the newest', () => {
    const log = new EventLog();
    const [first, second, third] = ['a', 'b', 'c'].map((name) => log.append('turn', { name }));
    expect(log.after(first?.id ?? '')).toEqual([second, third]);
    expect(log.after(third?.id ?? '')).toEqual([]);
  });

  it('[AD-22] knows no event of another stream, of a malformed ID, and of one that is yet to come', () => {
    const log = new EventLog();
    const { id } = log.append('turn', {});
    const [stream] = id.split('.');
    const other = new EventLog().append('turn', {}).id;
    for (const unknown of [other, '', 'x', `${stream}.`, `${stream}.zz`, `${stream}.-1`, `${stream}.0x`, `${id} `])
      expect([unknown, log.after(unknown)]).toEqual([unknown, undefined]);
  });

  it('[AD-22] keeps the newest events, by number', () => {
    const log = new EventLog();
    const ids = Array.from({ length: MAX_EVENTS + 2 }, (_, n) => log.append('turn', { n }).id);
    expect(log.after(ids[0] ?? '')).toBeUndefined();
    expect(log.after(ids[1] ?? '')).toHaveLength(MAX_EVENTS);
    expect(log.after(ids[MAX_EVENTS] ?? '')).toHaveLength(1);
    const more = Array.from({ length: 2 * MAX_EVENTS }, (_, n) => log.append('turn', { n }).id);
    expect(log.after(more[2 * MAX_EVENTS - 3] ?? '')?.map(({ id }) => id)).toEqual(more.slice(-2));
  });

  it('[AD-22] keeps the newest events, by their length', () => {
    const log = new EventLog();
    const text = 'x'.repeat(MAX_EVENTS_LENGTH / 4);
    const ids = Array.from({ length: 5 }, () => log.append('turn', { text }).id);
    expect(log.after(ids[0] ?? '')).toBeUndefined();
    expect(log.after(ids[2] ?? '')).toHaveLength(2);
  });
});
