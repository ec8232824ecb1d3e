import { describe, expect, it } from 'vitest';
import { chooseDelayMs, isTransient, readRetryAfter, toAgentError, type ModelFailure } from './failures.js';

const failure = (changes: Partial<ModelFailure>): ModelFailure => ({
  kind: 'overloaded',
  status: 500,
  detail: 'secret detail',
  retryAfterMs: undefined,
  ...changes,
});

describe('a failed request to a model', () => {
  it.each(['unreachable', 'overloaded'] as const)('[R-11] that is %s is retried', (kind) => {
    expect(isTransient(failure({ kind }))).toBe(true);
  });

  it.each([
    'silent',
    'key refused',
    'no credit',
    'model not known',
    'not an API',
    'too long',
    'declined',
    'bad request',
  ] as const)('[R-11] that is %s is not retried', (kind) => {
    expect(isTransient(failure({ kind }))).toBe(false);
  });

  it('[R-11] [R-16] is not retried when the provider asks for a long delay, which is shorter with another model', () => {
    const isRetried = (retryAfterMs: number, hasNext: boolean) => isTransient(failure({ retryAfterMs }), hasNext);
    expect([isRetried(60_000, false), isRetried(61_000, false)]).toEqual([true, false]);
    expect([isRetried(10_000, true), isRetried(11_000, true)]).toEqual([true, false]);
  });

  it('[R-11] waits longer each time, with jitter, and exactly as long as the provider requests', () => {
    expect([0, 1, 2, 3, 9].map((attempt) => chooseDelayMs(attempt, undefined, 0))).toEqual([
      1_000, 2_000, 4_000, 8_000, 30_000,
    ]);
    expect(chooseDelayMs(2, undefined, 1)).toBe(2_000);
    expect(chooseDelayMs(5, 250, 0.5)).toBe(250);
  });

  it('[R-11] reads the retry delay of its provider in each form', () => {
    const now = Date.parse('2026-11-22T10:00:00Z');
    const read = (headers: Record<string, string>) => readRetryAfter(new Headers(headers), now);
    expect(read({ 'retry-after': '12' })).toBe(12_000);
    expect(read({ 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT' })).toBe(30_000);
    expect(read({ 'retry-after': 'Sun, 22 Nov 2026 09:00:00 GMT' })).toBe(0);
    expect(read({ 'retry-after': '12', 'retry-after-ms': '340' })).toBe(340);
    expect(read({ 'retry-after': 'soon' })).toBeUndefined();
    expect(read({})).toBeUndefined();
  });

  it("[R-13] is described in plain words, without the provider's text", () => {
    const kinds = [
      'no credit',
      'key refused',
      'model not known',
      'not an API',
      'too long',
      'declined',
      'silent',
    ] as const;
    const all = [
      ...kinds.map((kind) => failure({ kind })),
      ...[429, 500].map((status) => failure({ status })),
      ...[200, undefined].map((status) => failure({ kind: 'unreachable', status })),
      failure({ kind: 'bad request', status: 400 }),
      failure({ retryAfterMs: 120_000 }),
    ].map((one) => toAgentError(one).message);
    for (const message of all) {
      expect(message).toMatch(/^The agent failed: the \w/);
      expect(message).not.toContain('secret');
    }
    expect(new Set(all).size).toBe(all.length);
  });
});
