import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { MAX_BATCH, MAX_WAITING, SEND_INTERVAL_MS, SpanQueue, type SendOutcome } from './span-queue.js';

let clock: ManualClock;
let batches: number[];
let outcome: SendOutcome;
let queue: SpanQueue;

beforeEach(() => {
  clock = new ManualClock();
  batches = [];
  outcome = 'sent';
  queue = new SpanQueue({
    clock,
    send: async (spans) => {
      batches.push(spans.length);
      return outcome;
    },
  });
});

function add(count: number): void {
  for (let n = 0; n < count; n++) queue.add(Buffer.from(`${n}`));
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

describe('spans that wait', () => {
  it('are sent together after some seconds', async () => {
    add(3);
    await pass(SEND_INTERVAL_MS - 1);
    expect(batches).toEqual([]);
    await pass(1);
    expect(batches).toEqual([3]);
    await pass(10 * SEND_INTERVAL_MS);
    expect(batches).toEqual([3]);
  });

  it('are sent as soon as a request is full, and what is left with the next ones', async () => {
    add(2 * MAX_BATCH + 7);
    await pass(0);
    expect(batches).toEqual([MAX_BATCH, MAX_BATCH]);
    await pass(SEND_INTERVAL_MS);
    expect(batches).toEqual([MAX_BATCH, MAX_BATCH, 7]);
  });

  it('[L-28] are a bounded number: further ones are lost', async () => {
    add(MAX_WAITING + 5);
    expect([queue.waiting, queue.lost]).toEqual([MAX_WAITING, 5]);
  });

  it('[L-28] are sent again some seconds after a failure, the oldest are lost where there is no room', async () => {
    outcome = 'later';
    add(MAX_WAITING);
    await pass(0);
    expect([batches, queue.waiting, queue.lost]).toEqual([[MAX_BATCH], MAX_WAITING, 0]);
    await pass(SEND_INTERVAL_MS - 1);
    expect(batches).toEqual([MAX_BATCH]);
    outcome = 'sent';
    await pass(1);
    expect([batches.length, queue.waiting, queue.lost]).toEqual([1 + MAX_WAITING / MAX_BATCH, 0, 0]);
  });

  it('[L-28] make room for those that came while a request failed', async () => {
    const answer = Promise.withResolvers<SendOutcome>();
    queue = new SpanQueue({ clock, send: () => answer.promise });
    add(MAX_WAITING);
    await pass(0);
    add(MAX_BATCH);
    answer.resolve('later');
    await pass(0);
    expect([queue.waiting, queue.lost]).toEqual([MAX_WAITING, MAX_BATCH]);
  });

  it('that are refused are not sent again', async () => {
    outcome = 'refused';
    add(2);
    await pass(SEND_INTERVAL_MS);
    await pass(SEND_INTERVAL_MS);
    expect([batches, queue.waiting, queue.lost]).toEqual([[2], 0, 2]);
  });
});

describe('at the end', () => {
  it('all that wait are sent, also those behind a request under way', async () => {
    const first = Promise.withResolvers<SendOutcome>();
    let sent = 0;
    queue = new SpanQueue({
      clock,
      send: (spans) => {
        sent += spans.length;
        return sent === spans.length ? first.promise : Promise.resolve('sent' as const);
      },
    });
    add(MAX_BATCH);
    await pass(0);
    add(9);
    const flushed = queue.flush();
    first.resolve('sent');
    await flushed;
    expect([sent, queue.waiting]).toEqual([MAX_BATCH + 9, 0]);
  });

  it('a failure ends it', async () => {
    outcome = 'later';
    add(3);
    await queue.flush();
    expect([batches, queue.waiting]).toEqual([[3], 3]);
  });
});
