import { describe, expect, it } from 'vitest';
import { runBulk } from './bulk.js';

const keys = Array.from({ length: 10 }, (_, index) => String(index));
const never = new AbortController().signal;

describe('runBulk', () => {
  it('acts on each thing once, four at a time, and reports after each', async () => {
    let running = 0;
    let most = 0;
    const seen: string[] = [];
    const reports: number[] = [];
    const work = async (key: string) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      seen.push(key);
      running--;
    };
    await runBulk(keys, work, ({ done }) => reports.push(done), never);
    expect([seen.sort(), most, reports]).toEqual([keys, 4, keys.map((_, index) => index + 1)]);
  });

  it('goes on after a failure, and says which one it was', async () => {
    const work = (key: string) => (key === '3' ? Promise.reject(new Error('no')) : Promise.resolve());
    const { done, failures } = await runBulk(keys, work, () => {}, never);
    expect([done, [...failures.keys()]]).toEqual([10, ['3']]);
  });

  it('begins nothing after it was stopped', async () => {
    const stop = new AbortController();
    const { done, total } = await runBulk(
      keys,
      async () => stop.abort(),
      () => {},
      stop.signal,
    );
    expect([done, total]).toEqual([1, 10]);
  });
});
