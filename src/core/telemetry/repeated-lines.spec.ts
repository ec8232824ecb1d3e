import { expect, it } from 'vitest';
import { RepeatedLines } from './repeated-lines.js';

function setUp() {
  const lines = new RepeatedLines();
  const written: string[] = [];
  const note = (text: string) =>
    lines.note(text, ({ more }) => written.push(more === undefined ? text : `${text} ${more}`));
  return { lines, written, note };
}

it('equal lines are written once, and counted at the end of the minute', () => {
  const { lines, written, note } = setUp();
  for (let i = 0; i < 100; i++) note('down');
  note('slow');
  expect(written).toEqual(['down', 'slow']);
  lines.endMinute();
  expect(written).toEqual(['down', 'slow', 'down 99']);
  lines.endMinute();
  note('down');
  expect(written).toEqual(['down', 'slow', 'down 99', 'down']);
});

it('many different lines are counted together from the 61st on', () => {
  const { lines, written, note } = setUp();
  for (let i = 0; i < 1_000; i++) note(`line ${i}`);
  expect(written).toHaveLength(61);
  lines.endMinute();
  expect(written.slice(61)).toEqual(['line 60 939']);
});
