import { expect, it } from 'vitest';
import { end, follow, type WaitingRow } from './queue-rows.js';

const aRow = (ref: string, position: number, more: Partial<WaitingRow> = {}): WaitingRow => ({
  message_ref: ref,
  session_id: 's_1',
  position,
  running_ref: 'm_0',
  ...more,
});
const other = aRow('m_9', 5, { session_id: 's_2', running_ref: 'm_8' });
const rows = [aRow('m_1', 0), aRow('m_2', 1), aRow('m_3', 2), other];
const places = (all: readonly WaitingRow[]) => all.map(({ position, running_ref: ref }) => [position, ref]);

it('[CO-06] waiting messages move up when one before them is cancelled, in its conversation alone', () => {
  const after = follow(rows, 'm_2', { state: 'cancelled', at: 7 });
  expect(after[1]?.ended).toEqual({ state: 'cancelled', at: 7 });
  expect(places(after)).toEqual([
    [0, 'm_0'],
    [1, 'm_0'],
    [1, 'm_0'],
    [5, 'm_8'],
  ]);
});

it('[CO-06] waiting messages wait for the one that runs, and for none once it has ended', () => {
  const running = follow(rows, 'm_1', { state: 'running', at: 7 });
  expect(places(running).slice(1, 3)).toEqual([
    [0, 'm_1'],
    [1, 'm_1'],
  ]);
  const after = follow(running, 'm_1', { state: 'stop', at: 9 });
  expect(after[0]?.ended).toEqual({ state: 'stop', at: 7 });
  expect(places(after).slice(1)).toEqual([
    [0, undefined],
    [1, undefined],
    [5, 'm_8'],
  ]);
});

it('[CO-06] the clock of a row stops at its first end', () => {
  const ended = end(aRow('m_1', 0), { state: 'cancelled', at: 5 });
  expect(end(ended, { state: 'stop', at: 8 }).ended).toEqual({ state: 'stop', at: 5 });
});
