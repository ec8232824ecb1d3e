import type { ProcessEventMap } from 'node:process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { callExtension, guardProcess, leaveExtension } from '../lifecycle/extension-guard.js';

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** The listeners of the test runner, which takes any uncaught error for a failed test. */
let others: ((...args: ProcessEventMap['uncaughtException']) => void)[][];
let unguard: () => void;
/** The errors of no extension. */
let unowned: unknown[];
/** What the owners have thrown. */
let noted: unknown[];
beforeEach(() => {
  others = EVENTS.map((event) => process.listeners(event as 'uncaughtException'));
  for (const event of EVENTS) process.removeAllListeners(event);
  unowned = [];
  noted = [];
  unguard = guardProcess(
    (error) => unowned.push(error),
    (failure) => noted.push(failure),
  );
});
afterEach(() => {
  unguard();
  EVENTS.forEach((event, n) => others[n]?.forEach((listener) => process.on(event as 'uncaughtException', listener)));
});

it('an error of what a driver has started ends its run', async () => {
  const errors: unknown[] = [];
  const run = { fail: (error: unknown) => void errors.push(error) };
  callExtension(run, () => void Promise.reject(new Error('nothing awaits it')));
  callExtension(run, () => setTimeout(() => void Promise.reject(new Error('nor this'))));
  await expect.poll(() => errors.map(String)).toEqual(['Error: nothing awaits it', 'Error: nor this']);
});

it("the gateway's own work on behalf of a driver does not belong to it", async () => {
  const errors: unknown[] = [];
  const run = { fail: (error: unknown) => void errors.push(error) };
  callExtension(run, () => leaveExtension(() => void Promise.reject(new Error('a fault of the gateway')))());
  await expect.poll(() => unowned.map(String)).toEqual(['Error: a fault of the gateway']);
  expect(errors).toEqual([]);
});

it('an owner that cannot take an error does not end the process', async () => {
  const run = {
    fail: () => {
      throw new TypeError('Illegal invocation');
    },
  };
  callExtension(run, () => void Promise.reject(new Error('nothing awaits it')));
  await expect.poll(() => noted.map(String)).toEqual(['TypeError: Illegal invocation']);
  expect(unowned).toEqual([]);
});
