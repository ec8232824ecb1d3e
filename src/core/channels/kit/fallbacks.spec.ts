import { expect, it } from 'vitest';
import { SilentLogs } from '../../telemetry/logs.js';
import { DeliveryError, DriverError } from '../driver.js';
import { callWithFallbacks } from './fallbacks.js';

const PART = { id: 'm_1.0', createdAt: 0, place: { chat: 'ann' }, texts: [] };

/** Makes calls that fail with these errors, one each. Resolves with the attempts: a number that becomes 0. */
async function attempt(first: number, ...failures: readonly Error[]): Promise<number[]> {
  const attempts: number[] = [];
  await callWithFallbacks({
    part: PART,
    platform: 'Pigeon',
    log: new SilentLogs().for(),
    first,
    make: async (one) => {
      attempts.push(one);
      const failure = failures[attempts.length - 1];
      if (failure) throw failure;
    },
    lessen: (one) => (one > 0 ? one - 1 : undefined),
  }).catch((error: unknown) => attempts.push(failures.indexOf(error as Error) - 100));
  return attempts;
}

const refused = () => new DeliveryError('refused', 'no');

it('a call is made again without what is refused, until nothing can be left out', async () => {
  expect(await attempt(2, refused(), refused())).toEqual([2, 1, 0]);
  expect(await attempt(1, refused(), refused())).toEqual([1, 0, -99]);
});

it('a limit, a lost response and a fault of the driver are not refusals', async () => {
  for (const error of [
    new DeliveryError('not_sent', 'too many requests', 1_000),
    new DeliveryError('unknown', 'no response'),
    new DriverError('bad_credential', 'revoked'),
    new Error('a bug'),
  ])
    expect(await attempt(2, error)).toEqual([2, -100]);
});
