import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { Admins } from './admins.js';
import { RefusedCallError } from '../platform/verdict.js';
import type { BotApi } from './bot-api.js';

let clock: ManualClock;
let calls: number;
let outcome: () => readonly number[];
let admins: Admins;
beforeEach(() => {
  clock = new ManualClock();
  [calls, outcome] = [0, () => [5001]];
  const call = async () => {
    calls++;
    return outcome().map((id) => ({ user: { id } }));
  };
  admins = new Admins({ call } as unknown as BotApi, clock);
});

it('[V-28] the admins of a group are asked for again after five minutes', async () => {
  expect([await admins.include(-1, 5001), await admins.include(-1, 5002)]).toEqual([true, false]);
  await clock.advanceAsync(299_000);
  expect([await admins.include(-1, 5001), calls]).toEqual([true, 1]);
  await clock.advanceAsync(2_000);
  outcome = () => [5002];
  expect([await admins.include(-1, 5001), await admins.include(-1, 5002), calls]).toEqual([false, true, 2]);
});

it('[V-28] a change of the members of a group ends what is known of it', async () => {
  await admins.include(-1, 5001);
  await admins.include(-2, 5001);
  outcome = () => [];
  admins.forget(-1);
  expect([await admins.include(-1, 5001), await admins.include(-2, 5001), calls]).toEqual([false, true, 3]);
});

it('a group whose admins Telegram does not name has none, and a lost response is asked for again', async () => {
  outcome = () => {
    throw new RefusedCallError(400, 'Bad Request: member list is inaccessible');
  };
  expect(await admins.include(-1, 5001)).toBe(false);
  outcome = () => {
    throw new Error('no response');
  };
  await expect(admins.include(-2, 5001)).rejects.toThrow('no response');
});
