import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.js';
import type { BatchReply, Call } from './operations.js';

/** A host whose batches the test completes. */
function host() {
  const batches: { calls: readonly Call[]; reply: PromiseWithResolvers<BatchReply> }[] = [];
  const batcher = new Batcher('write', {
    run(_kind, calls) {
      const reply = Promise.withResolvers<BatchReply>();
      batches.push({ calls, reply });
      return reply.promise;
    },
    explain: (failure) => (failure instanceof Error ? failure : failure.error),
  });
  const answer = (index: number, ...results: unknown[]) => batches[index]?.reply.resolve({ results, failures: [] });
  return { batcher, batches, answer };
}

const check: Call = ['check'];
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Batcher', () => {
  it('sends the calls of one tick together, and collects further calls until they return', async () => {
    const { batcher, batches, answer } = host();
    const first = [batcher.call(check), batcher.call(check)];
    await turn();
    const second = [batcher.call(check), batcher.call(check), batcher.call(check)];
    await turn();
    expect(batches.map(({ calls }) => calls.length)).toEqual([2]);
    answer(0, 'a', 'b');
    expect(await Promise.all(first)).toEqual(['a', 'b']);
    await turn();
    expect(batches.map(({ calls }) => calls.length)).toEqual([2, 3]);
    answer(1, 'c', 'd', 'e');
    expect(await Promise.all(second)).toEqual(['c', 'd', 'e']);
  });

  it('puts calls caused by the results of a batch into the next one', async () => {
    const { batcher, batches, answer } = host();
    const provoked = [batcher.call(check), batcher.call(check)].map((call) => call.then(() => batcher.call(check)));
    await turn();
    const waiting = batcher.call(check);
    answer(0);
    await turn();
    await turn();
    expect(batches.map(({ calls }) => calls.length)).toEqual([2, 3]);
    answer(1);
    await Promise.all([...provoked, waiting]);
  });

  it('sends a large burst in portions', async () => {
    const { batcher, batches, answer } = host();
    const calls = Array.from({ length: 1_500 }, () => batcher.call(check));
    await turn();
    expect(batches[0]?.calls).toHaveLength(1_024);
    answer(0);
    await turn();
    await turn();
    expect(batches[1]?.calls).toHaveLength(476);
    answer(1);
    await Promise.all(calls);
  });

  it('rejects only the calls that failed', async () => {
    const { batcher, batches } = host();
    const calls = [batcher.call(check), batcher.call(check)];
    await turn();
    const failures = [{ index: 0, error: new Error('this one'), unavailable: false }];
    batches[0]?.reply.resolve({ results: [undefined, 'fine'], failures });
    await expect(calls[0]).rejects.toThrow('this one');
    expect(await calls[1]).toBe('fine');
  });

  it('rejects all calls of a lost batch, and continues', async () => {
    const { batcher, batches, answer } = host();
    const lost = [batcher.call(check), batcher.call(check)];
    await turn();
    batches[0]?.reply.reject(new Error('dead'));
    await expect(lost[0]).rejects.toThrow('dead');
    await expect(lost[1]).rejects.toThrow('dead');
    const next = batcher.call(check);
    await turn();
    answer(1, 'alive');
    expect(await next).toBe('alive');
  });

  it('is idle when all calls have settled', async () => {
    const { batcher, answer } = host();
    await batcher.idle();
    let isIdle = false;
    const call = batcher.call(check);
    const idle = batcher.idle().then(() => (isIdle = true));
    await turn();
    expect(isIdle).toBe(false);
    answer(0, 1);
    await Promise.all([call, idle]);
    expect(isIdle).toBe(true);
  });
});
