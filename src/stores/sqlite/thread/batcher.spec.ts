import { describe, expect, it } from 'vitest';
import { promised } from '../../../core/store/done.js';
import { Batcher, MAX_BATCH_SIZE } from './batcher.js';
import type { BatchReply, Call } from '../operations/index.js';

const check: Call = ['check'];

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
  const call = () => promised<unknown>((done) => batcher.call(check, done));
  return { batcher, batches, answer, call };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Batcher', () => {
  it('sends the calls of one tick together, and collects further calls until they return', async () => {
    const { batches, answer, call } = host();
    const first = [call(), call()];
    await turn();
    const second = [call(), call(), call()];
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
    const { batches, answer, call } = host();
    const provoked = [call(), call()].map((first) => first.then(() => call()));
    await turn();
    const waiting = call();
    answer(0);
    await turn();
    await turn();
    expect(batches.map(({ calls }) => calls.length)).toEqual([2, 3]);
    answer(1);
    await Promise.all([...provoked, waiting]);
  });

  it('sends a large burst in portions', async () => {
    const { batches, answer, call } = host();
    const calls = Array.from({ length: 1_500 }, () => call());
    await turn();
    expect(batches[0]?.calls).toHaveLength(1_024);
    answer(0);
    await turn();
    await turn();
    expect(batches[1]?.calls).toHaveLength(476);
    answer(1);
    await Promise.all(calls);
  });

  it('sends large calls in batches of a limited size, in their order, and one that is larger alone', async () => {
    const { batcher, batches, answer } = host();
    const sizes = [0.4, 0.4, 0.4, 1.5, 0.1, 0.8].map((share) => Math.floor(share * MAX_BATCH_SIZE));
    const calls = sizes.map((size) =>
      promised<unknown>((done) => batcher.call(['check', [{ text: 'x'.repeat(size) }]] as unknown as Call, done)),
    );
    for (let batch = 0; batch < 4; batch++) {
      await turn();
      await turn();
      answer(batch);
    }
    await Promise.all(calls);
    expect(batches.map((batch) => batch.calls.length)).toEqual([2, 1, 1, 2]);
  });

  it('runs a call that is to be last after those that are made later', async () => {
    const { batcher, batches, answer } = host();
    const done: unknown[] = [];
    const call = (name: string, isLast?: boolean) =>
      batcher.call([name] as unknown as Call, (result) => done.push([name, result]), isLast);
    for (const name of ['a', 'b']) call(name);
    call('last', true);
    call('c');
    await turn();
    call('last again', true);
    answer(0, 1, 2, 3, 4);
    await turn();
    await turn();
    answer(1, 5);
    await turn();
    expect(batches.map(({ calls }) => calls.flat())).toEqual([['a', 'b', 'c', 'last'], ['last again']]);
    const results = [
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['last', 4],
      ['last again', 5],
    ];
    expect(done).toEqual(results);
  });

  it('rejects only the calls that failed', async () => {
    const { batches, call } = host();
    const calls = [call(), call()];
    await turn();
    const failures = [{ index: 0, error: new Error('this one'), unavailable: false }];
    batches[0]?.reply.resolve({ results: [undefined, 'fine'], failures });
    await expect(calls[0]).rejects.toThrow('this one');
    expect(await calls[1]).toBe('fine');
  });

  it('rejects all calls of a lost batch, and continues', async () => {
    const { batches, answer, call } = host();
    const lost = [call(), call()];
    await turn();
    batches[0]?.reply.reject(new Error('dead'));
    await expect(lost[0]).rejects.toThrow('dead');
    await expect(lost[1]).rejects.toThrow('dead');
    const next = call();
    await turn();
    answer(1, 'alive');
    expect(await next).toBe('alive');
  });

  it('completes the other calls of a batch when a callback throws, which is an uncaught exception', async () => {
    const { batcher, answer } = host();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
    const done: unknown[] = [];
    batcher.call(check, () => {
      throw new Error('a fault');
    });
    batcher.call(check, (result) => done.push(result));
    await turn();
    answer(0, 'a', 'b');
    expect(await uncaught).toMatchObject({ message: 'a fault' });
    expect(done).toEqual(['b']);
    for (const listener of listeners) process.on('uncaughtException', listener);
  });

  it('is idle when all calls have settled', async () => {
    const { batcher, answer, call } = host();
    await batcher.idle();
    let isIdle = false;
    const pending = call();
    const idle = batcher.idle().then(() => (isIdle = true));
    await turn();
    expect(isIdle).toBe(false);
    answer(0, 1);
    await Promise.all([pending, idle]);
    expect(isIdle).toBe(true);
  });
});
