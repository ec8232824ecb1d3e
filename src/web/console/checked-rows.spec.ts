import { expect, it } from 'vitest';
import { CheckedRows } from './checked-rows.js';

const ALL = ['a', 'b', 'c', 'd', 'e'];

it('rows are checked one by one, or from the last one up to another', () => {
  const checked = new CheckedRows();
  checked.toggle(ALL, 1, false);
  checked.toggle(ALL, 3, true);
  expect([...checked.keys]).toEqual(['b', 'c', 'd']);
  checked.toggle(ALL, 2, false);
  checked.toggle(ALL, 9, false);
  expect([...checked.keys]).toEqual(['b', 'd']);
  checked.replace(['e']);
  expect([...checked.keys]).toEqual(['e']);
});

it('a range begins at the row itself when the last one is not in the list any more', () => {
  const checked = new CheckedRows();
  checked.toggle(ALL, 0, false);
  checked.toggle(['c', 'd'], 1, true);
  expect([...checked.keys]).toEqual(['a', 'd']);
});
