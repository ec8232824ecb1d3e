import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../testing/manual-clock.js';
import { pastChange } from './between-documents.js';

const PASSING = new Error('Protocol error (Page.getNavigationHistory): Not attached to an active page');

/** Asks with these answers, one after the other, while the time of the pauses passes. */
async function askWith(answers: readonly (Error | string)[], timeoutMs = 3_000) {
  const clock = new ManualClock();
  const left = [...answers];
  let isOver = false;
  const result = pastChange(clock, timeoutMs, async () => {
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer instanceof Error) throw answer;
    return answer;
  }).finally(() => (isOver = true));
  result.catch(() => {});
  while (!isOver) {
    await new Promise(setImmediate);
    clock.advance(100);
  }
  return { result, left: left.length };
}

describe('a question to a tab', () => {
  it('is asked again while one document takes the place of another', async () => {
    const { result } = await askWith([PASSING, PASSING, 'the page']);
    expect(await result).toBe('the page');
  });

  it('is not asked for longer than its time', async () => {
    await expect((await askWith([PASSING])).result).rejects.toBe(PASSING);
  });

  it('is not asked again after another failure', async () => {
    const failure = new Error('Target closed');
    const { result, left } = await askWith([failure, 'the page']);
    await expect(result).rejects.toBe(failure);
    expect(left).toBe(1);
  });
});
