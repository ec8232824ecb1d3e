import { describe, expect, it } from 'vitest';
import { EventFollower } from './event-follower.js';
import { EventLog, MAX_EVENTS, MAX_EVENTS_LENGTH } from './event-log.js';

/** Reads what a reader gets that has seen an event: IDs, and `reset`. */
function readAfter(log: EventLog, lastId: string): readonly string[] {
  const follower = new EventFollower(log, lastId, () => () => {});
  const read: string[] = [];
  for (let event = follower.next(); event; event = follower.next()) read.push(event.id ?? event.event ?? '');
  return read;
}

describe('the log of events', () => {
  it('[AD-22] has the events after one, and nothing after the newest', () => {
    const log = new EventLog();
    const [first = '', second, third = ''] = ['a', 'b', 'c'].map((name) => log.append('turn', { name }).id);
    expect(readAfter(log, first)).toEqual([second, third]);
    expect(readAfter(log, third)).toEqual([]);
  });

  it('[AD-22] knows no event of another stream, of a malformed ID, and of one that is yet to come', () => {
    const log = new EventLog();
    const { id } = log.append('turn', {});
    const [stream] = id.split('.');
    const other = new EventLog().append('turn', {}).id;
    for (const unknown of [other, '', 'x', `${stream}.`, `${stream}.zz`, `${stream}.-1`, `${stream}.0x`, `${id} `])
      expect([unknown, readAfter(log, unknown)]).toEqual([unknown, ['reset']]);
  });

  it('[AD-22] keeps the newest events, by number', () => {
    const log = new EventLog();
    const ids = Array.from({ length: MAX_EVENTS + 2 }, (_, n) => log.append('turn', { n }).id);
    expect(readAfter(log, ids[0] ?? '')).toEqual(['reset']);
    expect(readAfter(log, ids[1] ?? '')).toHaveLength(MAX_EVENTS);
    expect(readAfter(log, ids[MAX_EVENTS] ?? '')).toHaveLength(1);
    const more = Array.from({ length: 2 * MAX_EVENTS }, (_, n) => log.append('turn', { n }).id);
    expect(readAfter(log, more[2 * MAX_EVENTS - 3] ?? '')).toEqual(more.slice(-2));
  });

  it('[AD-22] keeps the newest events, by their length', () => {
    const log = new EventLog();
    const text = 'x'.repeat(MAX_EVENTS_LENGTH / 4);
    const ids = Array.from({ length: 5 }, () => log.append('turn', { text }).id);
    expect(readAfter(log, ids[0] ?? '')).toEqual(['reset']);
    expect(readAfter(log, ids[2] ?? '')).toHaveLength(2);
  });

  it('[AD-23] gives a reader that was too slow a reset, and what happens after it', () => {
    const log = new EventLog();
    const follower = new EventFollower(log, undefined, () => () => {});
    for (let n = 0; n <= MAX_EVENTS; n++) log.append('turn', { n });
    expect(follower.next()).toEqual({ event: 'reset', data: '{}' });
    const { id } = log.append('turn', {});
    expect([follower.next()?.id, follower.next()]).toEqual([id, undefined]);
  });
});
