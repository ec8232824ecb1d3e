import { afterEach, beforeEach, expect, it } from 'vitest';
import { KeptLogs, ManualClock } from '../../testing/index.js';
import { ProcessGuardService } from './process-guard.service.js';
import { holdWarnings } from './process-warnings.js';

/** What Node has written. */
let written: Error[];
/** The listeners of the test runner and of Node. */
let others: ((warning: Error) => void)[];
beforeEach(() => {
  others = process.listeners('warning');
  process.removeAllListeners('warning');
  written = [];
  process.on('warning', function onWarning(warning) {
    written.push(warning);
  });
});
afterEach(() => {
  process.removeAllListeners('warning');
  for (const listener of others) process.on('warning', listener);
});

function setUp() {
  const logs = new KeptLogs();
  const clock = new ManualClock();
  return { logs, clock, guard: new ProcessGuardService(clock, logs) };
}
const emit = (text: string) => process.emit('warning', new Error(text));

it('warnings of the process are lines of the log, and Node writes none until the stop', () => {
  const { logs, guard } = setUp();
  const stop = guard.logWarnings();
  emit('of a tool');
  expect(logs.lines).toEqual(['warn a warning of the process']);
  expect(logs.fields).toMatchObject([{ warning: { message: 'of a tool' } }]);
  expect(written).toEqual([]);
  stop(new AbortController().signal);
  emit('of another program');
  expect(written).toMatchObject([{ message: 'of another program' }]);
  expect(logs.lines).toHaveLength(1);
});

it('2,000 equal warnings are one line at once, and one a minute later that counts the others', () => {
  const { logs, clock, guard } = setUp();
  guard.logWarnings();
  for (let i = 0; i < 2_000; i++) emit('of a tool');
  expect(logs.lines).toHaveLength(1);
  clock.advance(60_000);
  expect(logs.lines).toHaveLength(2);
  expect(logs.fields[1]).toMatchObject({ warning: { message: 'of a tool' }, more: 1_999 });
});

it('warnings of the start are kept for the log', () => {
  const { logs, guard } = setUp();
  guard.onStart(holdWarnings());
  for (let i = 0; i < 200; i++) emit(`early ${i}`);
  expect(written).toEqual([]);
  const stop = guard.logWarnings();
  stop(new AbortController().signal);
  expect(logs.fields.slice(0, 2)).toMatchObject([
    { warning: { message: 'early 0' } },
    { warning: { message: 'early 1' } },
  ]);
  expect(logs.fields.at(-1)).toMatchObject({ more: 39 });
  emit('late');
  expect(written).toMatchObject([{ message: 'late' }]);
});

it('a warning is logged without what else it has, and one that throws when it is read is logged too', () => {
  const { logs, guard } = setUp();
  guard.logWarnings();
  process.emit('warning', Object.assign(new Error('too many'), { code: 'ACME', detail: 'more', emitter: process }));
  const hostile = Object.defineProperty(new Error(), 'message', { get: () => JSON.parse('') as string });
  // Not by `emit`, which the test runner has replaced.
  for (const listener of process.listeners('warning')) listener(hostile);
  expect(logs.fields).toEqual([
    {
      warning: {
        name: 'Error',
        message: 'too many',
        code: 'ACME',
        detail: 'more',
        stack: expect.any(String) as string,
      },
    },
    { warning: { name: 'Warning', message: 'unreadable' } },
  ]);
});

it('warnings that are turned off are not logged', () => {
  process.removeAllListeners('warning');
  const { logs, guard } = setUp();
  guard.logWarnings();
  emit('of a tool');
  expect(logs.lines).toEqual([]);
});
