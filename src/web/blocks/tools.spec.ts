import { describe, expect, it } from 'vitest';
import { describeOutcome, readOutcome, summariseCalls } from './tools.js';

describe('the outcome of a tool call, read from its result', () => {
  it('is denied, with the reason, when the call was not allowed', () => {
    const message = 'The tool "time.now" may not be used here: a person denied it';
    const result = { call_id: 'c1', ok: false, content: { code: 'TOOL_DENIED', message } };
    expect(readOutcome(result)).toEqual({ status: 'denied', detail: message });
  });

  it.each([
    [{ ok: true, content: 'noon' }, { status: 'succeeded' }],
    [
      { ok: false, content: { code: 'TOOL_FAILED', message: 'No.' } },
      { status: 'failed', detail: 'No.' },
    ],
    [
      { ok: false, content: { code: 'TOOL_TIMEOUT', message: 'Late.' } },
      { status: 'timed_out', detail: 'Late.' },
    ],
    [{ ok: false, content: 'odd' }, { status: 'failed' }],
  ])('is that of %j', (result, outcome) => {
    expect(readOutcome(result)).toEqual(outcome);
  });

  it('names who denied the call, or the permission that it needs', () => {
    const content = { code: 'TOOL_DENIED', message: 'No.', details: { missing_permissions: ['http'] } };
    const deniedBy = (decided_by: string) =>
      describeOutcome(readOutcome({ ok: false, status: 'denied', decided_by, content }));
    expect(deniedBy('Bob')).toBe('denied by Bob');
    expect(deniedBy('local')).toBe('denied with the local token');
    expect(describeOutcome({ status: 'denied', decided_by: 'local', isMine: true })).toBe('denied by you');
    expect(describeOutcome(readOutcome({ ok: false, content }))).toBe('not allowed: needs http');
    expect(describeOutcome(readOutcome({ ok: false, status: 'unknown', content: { message: 'A crash.' } }))).toBe(
      'outcome unknown · A crash.',
    );
  });

  it('is counted where several calls fold', () => {
    const calls = ['succeeded', 'failed', 'succeeded', 'timed_out', 'denied'].map((status) => ({ status }));
    expect(summariseCalls(calls)).toBe('5 tools · 2 failed · 1 denied');
  });
});
