import { expect, it } from 'vitest';
import { KeptLogs, ManualClock } from '../../testing/index.js';
import { LateErrors } from './late-errors.js';

const SOURCE = { tool: 'acme.pay', call_id: 'c1', session_id: 's1' };
const LINE = 'error a tool has thrown where nothing can catch it';

function setUp() {
  const logs = new KeptLogs();
  const errors = new LateErrors(logs.for());
  const clock = new ManualClock();
  return {
    logs,
    clock,
    owner: errors.ownerOf(SOURCE),
    other: errors.ownerOf({ ...SOURCE, tool: 'acme.buy' }),
    stop: errors.start(clock),
  };
}

it('2,000 late errors of a tool are one line at once, and one line a minute later that counts the others', () => {
  const { logs, clock, owner, other } = setUp();
  for (let i = 0; i < 2_000; i++) owner.fail(new Error('refused'));
  other.fail(new Error('refused'));
  expect(logs.lines).toEqual([LINE, LINE]);
  expect(logs.fields).toMatchObject([SOURCE, { tool: 'acme.buy' }]);
  clock.advance(60_000);
  expect(logs.lines).toEqual([LINE, LINE, LINE]);
  expect(logs.fields[2]).toMatchObject({ ...SOURCE, more: 1_999 });
});

it('late errors with 2,000 texts are at most 62 lines', () => {
  const { logs, owner, stop } = setUp();
  for (let i = 0; i < 2_000; i++) owner.fail(new Error(`refused ${i}`));
  stop();
  expect(logs.lines).toHaveLength(62);
  expect(logs.fields[61]).toMatchObject({ more: 1_939 });
});

it('late errors that throw when they are read are counted too', () => {
  const { logs, owner, stop } = setUp();
  const hostile = Object.defineProperty(new Error(), 'message', { get: () => JSON.parse('') as string });
  const unprintable = { toString: () => JSON.parse('') as string };
  for (const error of [hostile, hostile, unprintable, Object.create(null)]) owner.fail(error);
  stop();
  expect(logs.fields).toEqual([
    { ...SOURCE, error: hostile },
    { ...SOURCE, error: hostile, more: 3 },
  ]);
});
