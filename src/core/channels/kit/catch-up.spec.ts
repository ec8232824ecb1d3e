import { beforeEach, expect, it } from 'vitest';
import { SilentLogs } from '../../telemetry/logs.js';
import { ManualClock } from '../../../testing/manual-clock.js';
import { patiently, readChats } from './catch-up.js';
import { DeliveryError, DriverError } from '../driver.js';

let clock: ManualClock;
let ending: AbortController;
let closed: string[];
beforeEach(() => {
  clock = new ManualClock();
  ending = new AbortController();
  closed = [];
});

const link = { closeGap: async (chat: string) => void closed.push(chat), log: new SilentLogs().for() };
const limited = new DeliveryError('not_sent', 'too many requests', 60_000);
const lost = new DeliveryError('unknown', 'no response');

/** Runs to the end, however long the platform makes it wait. */
async function finish<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  void work.catch(() => {}).then(() => (isOver = true));
  while (!isOver) await clock.advanceAsync(1_000);
  return work;
}

/** Returns a call that throws these errors first. */
function failing(errors: Error[]): () => Promise<string> {
  return async () => {
    const error = errors.shift();
    if (error) throw error;
    return 'done';
  };
}

it('a call is repeated as long as the platform limits it, and four times when it fails otherwise', async () => {
  const startedAt = clock.elapsed();
  const signal = ending.signal;
  expect(await finish(patiently(failing(Array.from({ length: 10 }, () => limited)), clock, signal))).toBe('done');
  expect(clock.elapsed() - startedAt).toBeGreaterThanOrEqual(600_000);
  expect(await finish(patiently(failing([lost, lost, lost]), clock, signal))).toBe('done');
  await expect(finish(patiently(failing([lost, lost, lost, lost]), clock, signal))).rejects.toBe(lost);
  const refused = new DeliveryError('refused', 'not in the chat');
  await expect(finish(patiently(failing([refused]), clock, signal))).rejects.toBe(refused);
});

it('a call that waits ends when nothing new should be taken', async () => {
  const waiting = patiently(failing([limited]), clock, ending.signal);
  ending.abort();
  await expect(waiting).rejects.toThrow('aborted');
});

it('the gap of a chat is closed once it was read, whole or not; chats that cannot be read are counted', async () => {
  const read = async (chat: string) => {
    if (chat === 'refused') throw new DeliveryError('refused', 'not in the chat');
    return chat !== 'long';
  };
  const chats = ['whole', 'refused', 'long'];
  expect(await readChats(chats, { chatOf: String, read, link, signal: ending.signal })).toBe(2);
  expect(closed).toEqual(['whole', 'long']);
});

it('what could not be stored, and a fault of the account, end the reading', async () => {
  for (const error of [new Error('the store is not available'), new DriverError('bad_credential', 'revoked')]) {
    const reading = { chatOf: String, read: () => Promise.reject(error), link, signal: ending.signal };
    await expect(readChats(['1', '2'], reading)).rejects.toBe(error);
  }
  expect(closed).toEqual([]);
});
