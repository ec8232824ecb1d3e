import type { Update as BotUpdate } from '@grammyjs/types';
import { beforeEach, expect, it } from 'vitest';
import { DeliveryError } from '../../core/channels/driver.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { RefusedCallError } from '../platform/verdict.js';
import type { BotApi } from './bot-api.js';
import { Poller } from './poller.js';

const WEBHOOK = new RefusedCallError(409, "Conflict: can't use getUpdates while webhook is active");
const TERMINATED = new RefusedCallError(409, 'Conflict: terminated by other getUpdates request');

let clock: ManualClock;
let over: AbortController;
/** The results of the next polls; after the last one, the signal aborts. */
let results: (readonly number[] | Error | { readonly result: unknown })[];
/** The offset of each poll. */
let offsets: (number | undefined)[];
let webhook: string;
let taken: number[][];
let reasons: (string | undefined)[];
let storeFault: Error | undefined;

beforeEach(() => {
  clock = new ManualClock();
  over = new AbortController();
  [results, offsets, taken, reasons] = [[], [], [], []];
  webhook = '';
  storeFault = undefined;
});

const methods = {
  async getUpdates({ offset }: { offset?: number }): Promise<BotUpdate[]> {
    offsets.push(offset);
    const result = results.shift() ?? [];
    if (results.length === 0) over.abort();
    if (result instanceof Error) throw result;
    if ('result' in result) return result.result as BotUpdate[];
    return result.map((id) => ({ update_id: id }));
  },
  getWebhookInfo: async () => ({ url: webhook }),
  async deleteWebhook() {
    webhook = '';
  },
};

function makePoller(): Poller {
  const call = (method: keyof typeof methods, parameters: { offset?: number } = {}) => methods[method](parameters);
  const api = { call } as unknown as Pick<BotApi, 'call'>;
  return new Poller({
    api,
    clock,
    signal: over.signal,
    take: async (updates) => {
      const fault = storeFault;
      storeFault = undefined;
      if (fault) throw fault;
      taken.push(updates.map(({ update_id: id }) => id));
    },
    degrade: (reason) => void reasons.push(reason),
  });
}

/** Polls until no result is left. */
async function run(): Promise<void> {
  const running = makePoller().run();
  while (!over.signal.aborted) await clock.advanceAsync(2_000);
  await running;
}

it('updates are confirmed by the offset of a later poll, and only once they are stored', async () => {
  storeFault = new Error('the store is not available');
  results = [[7, 8], [7, 8], [3], []];
  await run();
  expect(taken).toEqual([[7, 8], [3]]);
  expect(offsets).toEqual([undefined, undefined, 9, 4]);
  expect(reasons.slice(0, 2)).toEqual(['the store is not available', undefined]);
});

it('a poll that Telegram postpones is repeated no earlier than it says', async () => {
  results = [new DeliveryError('not_sent', 'too many requests', 40_000), [7], []];
  const startedAt = clock.elapsed();
  await run();
  expect(taken).toEqual([[7]]);
  expect(clock.elapsed() - startedAt).toBeGreaterThanOrEqual(40_000);
});

it.each([['x'], [null], [{}], [[{}]], [[{ update_id: '7' }]]])(
  'a result that is not a list of updates is a fault: %j',
  async (result) => {
    results = [{ result }, [7], []];
    await run();
    expect(taken.filter((ids) => ids.length > 0)).toEqual([[7]]);
    expect(reasons).toContain('the response of Telegram is not a list of updates');
  },
);

it('a server that repeats what is confirmed is asked again after a pause', async () => {
  results = Array.from({ length: 20 }, () => [7]);
  const startedAt = clock.elapsed();
  await run();
  expect(clock.elapsed() - startedAt).toBeGreaterThanOrEqual(18 * 500);
});

it('a webhook that is set while the bot polls is removed, at any time', async () => {
  const poller = makePoller();
  await clock.advanceAsync(3_600_000);
  webhook = 'https://elsewhere.example/hook';
  results = [WEBHOOK, [7], []];
  const running = poller.run();
  await clock.advanceAsync(1_000);
  await running;
  expect([webhook, taken]).toEqual(['', [[7]]]);
});

it('a poll of another program is waited for at the beginning, and is a conflict later', async () => {
  const poller = makePoller();
  results = [TERMINATED, [7], TERMINATED, []];
  const starting = poller.start();
  await clock.advanceAsync(10_000);
  await starting;
  expect(taken).toEqual([[7]]);
  await clock.advanceAsync(90_000);
  await expect(poller.run()).rejects.toMatchObject({ fault: 'conflict' });
});
