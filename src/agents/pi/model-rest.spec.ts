import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { ModelRest } from './model-rest.js';
import type { FailureKind } from './failure-kinds.js';

function setUp() {
  const clock = new ManualClock();
  const rest = new ModelRest(clock);
  const fail = (model: string, kind: FailureKind = 'overloaded') =>
    rest.noteFailure({ model, askedAt: clock.elapsed() }, kind);
  return { clock, rest, fail };
}

describe('a provider that failed', () => {
  it('[R-17] rests for 30 s, then twice as long with each failure, up to 5 minutes', () => {
    const { clock, fail } = setUp();
    const rests = Array.from({ length: 6 }, () => {
      const remainingMs = fail('a/one')?.remainingMs ?? 0;
      clock.advance(remainingMs);
      return remainingMs;
    });
    expect(rests).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  it('[R-17] is asked last while it rests, and first again after it', () => {
    const { clock, rest, fail } = setUp();
    fail('a/one', 'no credit');
    expect(rest.order(['a/one', 'a/two', 'b/one'])).toEqual(['b/one', 'a/one', 'a/two']);
    expect(rest.list()).toEqual([{ name: 'a', kind: 'no credit', remainingMs: 30_000 }]);
    clock.advance(30_000);
    expect(rest.order(['a/one', 'b/one'])).toEqual(['a/one', 'b/one']);
    expect(rest.list()).toEqual([]);
  });

  it('[R-17] among others that rest is asked in the order in which their rests end', () => {
    const { clock, rest, fail } = setUp();
    fail('a/one');
    clock.advance(30_000);
    fail('a/one');
    clock.advance(1_000);
    fail('b/one');
    expect(rest.order(['a/one', 'b/one'])).toEqual(['b/one', 'a/one']);
  });

  it('[R-17] for a model that it does not know rests with that model only', () => {
    const { rest, fail } = setUp();
    fail('a/one', 'model not known');
    expect(rest.order(['a/one', 'a/two'])).toEqual(['a/two', 'a/one']);
  });

  it('rests once for requests that failed together', () => {
    const { clock, rest } = setUp();
    const askedAt = clock.elapsed();
    clock.advance(5);
    const failures = Array.from({ length: 64 }, () => rest.noteFailure({ model: 'a/one', askedAt }, 'overloaded'));
    expect(failures.filter(Boolean)).toHaveLength(1);
    expect(rest.list()[0]?.remainingMs).toBe(30_000);
  });

  it('rests no longer once it has answered a later request, and an earlier one changes nothing', () => {
    const { clock, rest, fail } = setUp();
    const earlier = { model: 'a/one', askedAt: clock.elapsed() };
    clock.advance(5);
    fail('a/one');
    rest.noteAnswer(earlier);
    expect(rest.list()).toHaveLength(1);
    clock.advance(5);
    rest.noteAnswer({ model: 'a/one', askedAt: clock.elapsed() });
    expect(rest.list()).toEqual([]);
    expect(fail('a/one')?.remainingMs).toBe(30_000);
  });

  it('is measured by the monotonic clock: setting the time of the machine changes nothing', () => {
    const { clock, rest, fail } = setUp();
    fail('a/one');
    clock.setWallTime(86_400_000);
    expect(rest.list()).toHaveLength(1);
  });

  it('begins with 30 s again when the last failure was long ago', () => {
    const { clock, fail } = setUp();
    fail('a/one');
    clock.advance(30_000 + 300_001);
    expect(fail('a/one')?.remainingMs).toBe(30_000);
  });

  it('is forgotten after a while, so that any number of names needs no memory', () => {
    const { clock, rest, fail } = setUp();
    for (let i = 0; i < 100; i++) fail(`a/${i}`, 'model not known');
    clock.advance(400_000);
    fail('b/one');
    expect((rest as unknown as { rests: Map<string, unknown> }).rests.size).toBe(1);
  });
});
