import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/index.js';
import { RepeatedLines } from './repeated-lines.js';

function setUp() {
  const lines = new RepeatedLines();
  const written: string[] = [];
  const note = (text: string) =>
    lines.note(text, ({ more }) => written.push(more === undefined ? text : `${text} ${more}`));
  const clock = new ManualClock();
  const stop = lines.start(clock);
  return { written, note, stop, endMinute: () => clock.advance(60_000) };
}

it('equal lines are written once, and counted at the end of the minute', () => {
  const { written, note, endMinute } = setUp();
  for (let i = 0; i < 100; i++) note('down');
  note('slow');
  expect(written).toEqual(['down', 'slow']);
  endMinute();
  expect(written).toEqual(['down', 'slow', 'down 99']);
  endMinute();
  note('down');
  expect(written).toEqual(['down', 'slow', 'down 99', 'down']);
});

it('many different lines are counted together from the 61st on', () => {
  const { written, note, endMinute } = setUp();
  for (let i = 0; i < 1_000; i++) note(`line ${i}`);
  expect(written).toHaveLength(61);
  endMinute();
  expect(written.slice(61)).toEqual(['line 60 939']);
});

it('the stop writes the counts of the minute that has begun', () => {
  const { written, note, stop, endMinute } = setUp();
  for (let i = 0; i < 3; i++) note('down');
  stop();
  expect(written).toEqual(['down', 'down 2']);
  note('up');
  note('up');
  endMinute();
  expect(written).toEqual(['down', 'down 2', 'up']);
});
