import { describe, expect, it } from 'vitest';
import { chooseDelayMs, isTransient, readRetryAfter, toAgentError, type ModelFailure } from './failures.js';

const failure = (changes: Partial<ModelFailure>): ModelFailure => ({
  status: 500,
  detail: 'secret detail',
  retryAfterMs: undefined,
  declined: false,
  overflow: false,
  ...changes,
});

describe('a failed request to a model', () => {
  it.each([undefined, 200, 408, 429, 500, 502, 503, 504, 529])('[R-11] with status %s is retried', (status) => {
    expect(isTransient(failure({ status }))).toBe(true);
  });

  it.each([400, 401, 402, 403, 404, 409, 413, 422])('[R-11] with status %s is not retried', (status) => {
    expect(isTransient(failure({ status }))).toBe(false);
  });

  it('[R-11] for lack of credit, a context overflow, a long retry delay or a refusal is not retried', () => {
    const lost = [
      { status: 429, detail: 'insufficient_quota' },
      { status: 500, overflow: true },
      { status: 429, retryAfterMs: 61_000 },
      { status: 200, declined: true },
    ];
    expect(lost.filter((changes) => isTransient(failure(changes)))).toEqual([]);
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
    const all = [undefined, 200, 400, 401, 403, 404, 408, 413, 429, 500, 503].map(
      (status) => toAgentError(failure({ status })).message,
    );
    const others = [
      { declined: true },
      { overflow: true },
      { detail: 'insufficient_quota secret detail' },
      { retryAfterMs: 120_000 },
    ].map((changes) => toAgentError(failure(changes)).message);
    for (const message of [...all, ...others]) {
      expect(message).toMatch(/^The agent failed: the \w/);
      expect(message).not.toContain('secret');
    }
    expect(new Set(others).size).toBe(others.length);
  });
});
