import { statfs } from 'node:fs/promises';

/** Free space of the disk below which the gateway is degraded, in bytes: room for a checkpoint and a copy to look at. */
export const MIN_FREE_BYTES = 268_435_456;

const BYTES_PER_MIB = 1_048_576;

/** The free space of a disk: blocks for ordinary users, and their size in bytes. */
export type ReadDisk = (folder: string) => Promise<{ readonly bavail: number; readonly bsize: number }>;

/** The disk of the store: a full one ends every commit. */
export class StoreDisk {
  /** @param findFolder returns the folder of the store; called at use, when changes of earlier runs are in force */
  constructor(
    private readonly findFolder: () => string,
    private readonly read: ReadDisk = statfs,
  ) {}

  /** Returns that the disk is nearly full, in words; undefined if it is not, or there is no such folder. Never rejects. */
  async findProblem(): Promise<string | undefined> {
    try {
      const { bavail, bsize } = await this.read(this.findFolder());
      const free = bavail * bsize;
      return free < MIN_FREE_BYTES
        ? `the disk of the store is nearly full: ${Math.floor(free / BYTES_PER_MIB)} MiB are free`
        : undefined;
    } catch {
      // A store in memory or in a database has no folder; a disk that fails is found by the commits.
      return undefined;
    }
  }
}
