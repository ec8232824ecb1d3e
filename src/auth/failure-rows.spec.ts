import { expect, it } from 'vitest';
import { ALL_TENANTS, type AuditNote } from '../core/store/index.js';
import { FailureRows } from './failure-rows.js';

function aTrail() {
  const notes: AuditNote[] = [];
  return { notes, rows: new FailureRows((note) => notes.push(note)) };
}

it('[I-54] the first failure of an address is a row at once, those of its minute are one row with their count', () => {
  const { notes, rows } = aTrail();
  for (let n = 0; n < 5; n++) rows.note('10.0.0.1', 'token');
  rows.note('10.0.0.2', 'token');
  expect(notes.map(({ action, target }) => [action, target])).toEqual([
    ['auth.failure', '10.0.0.1'],
    ['auth.failure', '10.0.0.2'],
  ]);
  rows.endMinute();
  // Their owner is unknown, so they belong to the whole gateway.
  expect(new Set(notes.map(({ tenant }) => tenant))).toEqual(new Set([ALL_TENANTS]));
  expect(notes.slice(2)).toMatchObject([{ action: 'auth.failures', target: '10.0.0.1' }]);
  expect(JSON.parse(notes[2]?.after ?? '')).toEqual({ credential: 'token', count: 4 });
  rows.endMinute();
  expect(notes).toHaveLength(3);
  rows.note('10.0.0.1', 'token');
  expect(notes).toHaveLength(4);
});

it('[I-54] a flood from many addresses adds a bounded number of rows, which count all of it', () => {
  const { notes, rows } = aTrail();
  for (let n = 0; n < 20_000; n++) rows.note(`10.0.${n % 100}.${n % 7}`, 'token');
  rows.endMinute();
  expect(notes.length).toBeLessThanOrEqual(121);
  const count = notes.reduce((sum, { after }) => sum + ((JSON.parse(after) as { count?: number }).count ?? 1), 0);
  expect(count).toBe(20_000);
});
