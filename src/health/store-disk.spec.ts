import { expect, it } from 'vitest';
import { MIN_FREE_BYTES, StoreDisk } from './store-disk.js';

const disk = (free: number) =>
  new StoreDisk(
    () => 'data',
    async () => ({ bavail: free / 4_096, bsize: 4_096 }),
  );

it('says when the disk is nearly full', async () => {
  expect(await disk(MIN_FREE_BYTES).findProblem()).toBeUndefined();
  expect(await disk(MIN_FREE_BYTES - 4_096).findProblem()).toBe(
    'the disk of the store is nearly full: 255 MiB are free',
  );
});

it('has nothing to say of a folder that does not exist, and reads a real one', async () => {
  expect(await new StoreDisk(() => '/nonexistent').findProblem()).toBeUndefined();
  await expect(new StoreDisk(() => '.').findProblem()).resolves.not.toThrow();
});
