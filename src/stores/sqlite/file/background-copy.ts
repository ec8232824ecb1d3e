import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { StoreCopy, StoreCopyFile } from '../../../core/store/index.js';
import { GatewayError } from '../../../protocol/index.js';
import { copyDatabase } from './copy-database.js';
import { ENDINGS } from './database.js';

/** Ends the name of a copy, before a random part. */
const ENDING = '.backup-';

/** Room that is left beside a copy, in bytes. */
const SPARE_BYTES = 67_108_864;

/**
 * Makes a copy of a database in use beside it, in a process of its own: a copy takes as long as the file is large.
 * @param signal ends it, and nothing of the copy stays
 * @throws GatewayError FORBIDDEN, STORE_UNAVAILABLE
 */
export async function makeCopy(path: string, signal?: AbortSignal): Promise<StoreCopyFile> {
  await checkRoom(path);
  const target = `${path}${ENDING}${randomBytes(4).toString('hex')}`;
  const remove = () => removeDatabase(target);
  try {
    const copy = import.meta.url.endsWith('.ts') ? copyDatabase(path, target) : await copyOutside(path, target, signal);
    signal?.throwIfAborted();
    return { ...copy, path: target, sizeBytes: (await stat(target)).size, remove };
  } catch (error) {
    await remove();
    throw new GatewayError('STORE_UNAVAILABLE', {}, { cause: error });
  }
}

/** Removes the copies that a process left which was killed while it made them. Only for the owner of the database. */
export async function removeCopies(path: string): Promise<void> {
  const folder = dirname(path);
  const isCopy = (name: string) => name.startsWith(`${basename(path)}${ENDING}`);
  for (const name of (await readdir(folder)).filter(isCopy)) await rm(join(folder, name), { force: true });
}

/** Removes a database that no process has open, with the files that SQLite keeps beside it: a copy that was cut off has a journal. */
async function removeDatabase(path: string): Promise<void> {
  for (const ending of ENDINGS) await rm(`${path}${ending}`, { force: true });
}

async function copyOutside(path: string, target: string, signal: AbortSignal | undefined): Promise<StoreCopy> {
  const script = fileURLToPath(new URL('./sqlite.check.js', import.meta.url));
  const options = { maxBuffer: Infinity, ...(signal && { signal }) };
  const running = promisify(execFile)(process.execPath, [script, path, target], options);
  const closed = once(running.child, 'close');
  try {
    return JSON.parse((await running).stdout) as StoreCopy;
  } finally {
    // A process that is ended by the signal may write a little longer.
    await closed;
  }
}

async function checkRoom(path: string): Promise<void> {
  const log = await stat(`${path}-wal`).catch(() => ({ size: 0 }));
  const needed = (await stat(path)).size + log.size + SPARE_BYTES;
  const { bavail, bsize } = await statfs(dirname(path));
  if (bavail * bsize >= needed) return;
  const reason = `a copy needs ${needed} bytes beside the store, and ${bavail * bsize} are free`;
  throw new GatewayError('FORBIDDEN', { reason });
}
