import { expect, it } from 'vitest';
import { SLOW_MS, stateOfSession, type TurnRow } from './activity.js';

const turn = {
  message_ref: 'm_1',
  session_id: 's_1',
  channel: 'test',
  sender: 'ann',
  since: 0,
  step: 'model',
} as const;
const stateOf = (row: { waiting: number; running_ref?: string }, known?: TurnRow, now = 1) =>
  stateOfSession(row, known, now);

it('the state of a conversation is what its row says, with the step where it is known', () => {
  expect([stateOf({ waiting: 0 }), stateOf({ waiting: 2 })]).toEqual(['idle', 'waiting']);
  expect(stateOf({ waiting: 2, running_ref: 'm_1' })).toBe('running');
  expect(stateOf({ waiting: 0, running_ref: 'm_1' }, { ...turn, step: 'approval' })).toBe('approval');
  expect(stateOf({ waiting: 0, running_ref: 'm_1' }, turn, SLOW_MS + 1)).toBe('slow');
});

it('a turn that has ended, or is not the one that runs, says nothing about a conversation', () => {
  expect(stateOf({ waiting: 0 }, { ...turn, step: 'approval' })).toBe('idle');
  expect(stateOf({ waiting: 0, running_ref: 'm_2' }, { ...turn, step: 'approval' })).toBe('running');
});
