import { expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { LoopDelay, MAX_DELAY_MS, MEASURE_INTERVAL_MS, REPORTED_MS } from './loop-delay.service.js';

/** A clock whose timers fire late by what the event loop is blocked for. */
class BlockedClock extends ManualClock {
  blockedMs = 0;

  override elapsed(): number {
    return super.elapsed() + this.blockedMs;
  }
}

it('says for half a minute that the event loop was blocked, and for how long at most', () => {
  const clock = new BlockedClock();
  const delay = new LoopDelay(clock);
  const stop = delay.start();
  clock.advance(10 * MEASURE_INTERVAL_MS);
  expect(delay.problem).toBeUndefined();
  for (const blockedMs of [MAX_DELAY_MS, 2 * MAX_DELAY_MS, MAX_DELAY_MS]) {
    clock.blockedMs += blockedMs;
    clock.advance(MEASURE_INTERVAL_MS);
  }
  expect(delay.problem).toBe('the event loop was blocked for 4.0 s');
  clock.advance(REPORTED_MS);
  expect(delay.problem).toBeUndefined();
  void stop(AbortSignal.abort());
  expect(clock.pendingTimers).toBe(0);
});

it('takes no notice of what people do not', () => {
  const clock = new BlockedClock();
  const delay = new LoopDelay(clock);
  delay.start();
  clock.blockedMs = MAX_DELAY_MS - 1;
  clock.advance(MEASURE_INTERVAL_MS);
  expect(delay.problem).toBeUndefined();
});
