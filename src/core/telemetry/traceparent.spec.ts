import { expect, it } from 'vitest';
import { readTraceparent, writeTraceparent } from './traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

it.each<[name: string, value: unknown, isRecorded: boolean | undefined]>([
  ['one that is recorded', `00-${TRACE}-${SPAN}-01`, true],
  ['one that is not', `00-${TRACE}-${SPAN}-00`, false],
  ['other flags', `00-${TRACE}-${SPAN}-fe`, false],
  ['a later version', `cc-${TRACE}-${SPAN}-01-what`, true],
  ['the version that is none', `ff-${TRACE}-${SPAN}-01`, undefined],
  ['more than this version has', `00-${TRACE}-${SPAN}-01-extra`, undefined],
  ['a trace without an ID', `00-${'0'.repeat(32)}-${SPAN}-01`, undefined],
  ['a span without an ID', `00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
  ['a line end', `00-${TRACE}-${SPAN}-01\n`, undefined],
  ['a long text', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(1_000_000)}`, undefined],
  ['no text', 42, undefined],
  ['nothing', undefined, undefined],
])('[L-25] a trace context is read: %s', (_, value, isRecorded) => {
  const parts = readTraceparent(value);
  expect(parts).toEqual(isRecorded === undefined ? undefined : { traceId: TRACE, spanId: SPAN, isRecorded });
  if (parts) expect(readTraceparent(writeTraceparent(parts))).toEqual(parts);
});
